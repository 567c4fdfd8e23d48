"""Raffles, their ticket numbers, orders and payment proofs; knows nothing of the chat."""
