"""A pretended machine on which a test types the commands of docs/operations.md."""
