"""Tests of the reader of buyers' texts."""
