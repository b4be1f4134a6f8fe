"""The history of the database's shape, one step per file, and the commands that walk it.

Lies at the top of the checkout so that it is found by whoever changes a table; installed it is `wms.migrations`.
"""
