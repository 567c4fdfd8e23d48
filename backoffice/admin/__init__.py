"""The seller's pages; Django finds this module by its name and each import registers some."""

from backoffice.admin import (
    account,
    alarms,
    contacts,
    inbox,
    orders,
    outbox,
    people,
    proofs,
    raffles,
)

__all__ = [
    "account",
    "alarms",
    "contacts",
    "inbox",
    "orders",
    "outbox",
    "people",
    "proofs",
    "raffles",
]
