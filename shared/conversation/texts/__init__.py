"""Texts that buyers read, in plain warm English; each is built by a pure function."""
