"""Questions that pages and the API ask about raffles and orders; nothing is written."""
