"""Raffles, their numbers, orders and payment proofs; has never heard of chat."""
