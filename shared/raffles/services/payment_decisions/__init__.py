"""Decisions about payments: confirmed, rejected, too late, undone, refunded."""
