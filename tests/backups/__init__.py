"""Backups and restoring, on both databases."""
