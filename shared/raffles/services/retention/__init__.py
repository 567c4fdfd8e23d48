"""Erasure of the personal data that orders and payment proofs hold."""
