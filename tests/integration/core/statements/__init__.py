"""Tests of statements that are built once or sent together."""
