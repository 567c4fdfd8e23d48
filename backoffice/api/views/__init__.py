"""Views of the API: each validates its input, calls one use case and returns a response."""
