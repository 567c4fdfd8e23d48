"""Response models of the API, from which both bodies and the OpenAPI schema are made."""
