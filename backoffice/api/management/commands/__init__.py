"""What `uv run manage` offers about the API."""
