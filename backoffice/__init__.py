"""The back office: the seller's admin pages and the API."""
