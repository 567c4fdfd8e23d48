"""Statements that are built once or sent together, and checks of what they changed."""
