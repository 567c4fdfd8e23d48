"""Logins, roles, and the second factor."""
