"""The dashboard of the back office."""
