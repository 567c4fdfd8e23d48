"""Shared code of the benchmarks: databases, sample data and tables of results."""
