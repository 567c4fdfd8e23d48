"""Decisions about payments: confirmed, rejected, undone, refunded."""
