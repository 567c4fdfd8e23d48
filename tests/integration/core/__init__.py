"""Tests of the core that need a database."""
