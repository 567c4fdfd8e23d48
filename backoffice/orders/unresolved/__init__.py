"""Payments that came too late, and payment proofs without an order: what a person must resolve."""
