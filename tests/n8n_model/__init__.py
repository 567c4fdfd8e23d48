"""A model of n8n, to test workflows without it: which files it takes and what it does with them."""
