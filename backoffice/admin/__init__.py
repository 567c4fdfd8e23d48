"""The seller's pages; Django finds this module by its name and each import registers some."""

from backoffice.admin import channel, orders, people, proofs, raffles

__all__ = ["channel", "orders", "people", "proofs", "raffles"]
