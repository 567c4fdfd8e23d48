"""The seller's pages; Django finds this module by its name and each import registers some."""

from backoffice.accounts import admin
from backoffice.admin import (
    account,
    alarms,
    contacts,
    deliveries,
    endpoints,
    events,
    inbox,
    orders,
    outbox,
    proofs,
    raffles,
    tokens,
)

__all__ = [
    "account",
    "alarms",
    "contacts",
    "deliveries",
    "endpoints",
    "events",
    "inbox",
    "orders",
    "outbox",
    "people",
    "proofs",
    "raffles",
    "tokens",
]
