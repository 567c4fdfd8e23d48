"""Screenshots for the documentation: `uv run python -m tests.screenshots docs/pictures`."""
