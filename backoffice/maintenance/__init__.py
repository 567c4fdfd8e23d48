"""Backup and restore of an installation: its database and its stored files."""
