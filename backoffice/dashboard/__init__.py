"""The first screen of the back office."""
