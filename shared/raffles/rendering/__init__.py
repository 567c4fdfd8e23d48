"""Bounded pictures of payment proofs for pages, made in a process of its own."""
