"""Response models of the API: the one source of its bodies and of its schema."""
