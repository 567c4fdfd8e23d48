"""The seller's pages; Django finds this module by its name and each import registers some."""

from backoffice.accounts import admin
from backoffice.automation import delivery_admin, endpoint_admin, event_admin, token_admin
from backoffice.messaging import (
    account_admin,
    alarm_admin,
    contact_admin,
    inbox_admin,
    outbox_admin,
)
from backoffice.orders import admin as orders_admin
from backoffice.orders import proof_admin
from backoffice.raffles import admin as raffles_admin

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
