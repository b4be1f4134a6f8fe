"""The tests, room by room as in the house; conftest.py lends them databases and a browser."""
