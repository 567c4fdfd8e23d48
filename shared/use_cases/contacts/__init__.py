"""Decisions about a buyer as a person: handover, joins of two contacts, export and erasure."""
