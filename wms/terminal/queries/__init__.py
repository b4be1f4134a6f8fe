"""Reads of the terminal: from everybody's rows to what the sections show. Nothing is written here."""
