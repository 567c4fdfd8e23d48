"""Texts that buyers read: plain warm English, each built by a pure function of its values."""
