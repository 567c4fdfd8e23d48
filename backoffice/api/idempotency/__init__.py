"""Idempotency keys of the API: the stored requests, and the views that accept keys."""
