"""What the benchmarks share: databases of their own and tables of their figures."""
