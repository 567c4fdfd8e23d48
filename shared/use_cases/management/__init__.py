"""Management commands of the use cases."""
