"""Locks an order together with its buyer, and tells buyers what became of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from shared.conversation import facts
from shared.conversation.values import OrderFacts, Reply
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import OutboxKind
from shared.raffles.models import Order
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import outbox_queue

ACKNOWLEDGEMENT_KEYS: Final = (
    "proof_received",
    "proof_attached",
    "proof_added",
    "late_proof",
    "late_proof_secured",
    "order_made",
)
"""The texts that say that a proof is here."""


def has_recent_acknowledgement(contact_id: int | None, *, now: datetime, about: str = "") -> bool:
    """Say whether a contact heard within the last minute that a proof is here: once is enough.

    Args:
        contact_id: the buyer; None hears nothing.
        now: the clock.
        about: the code of an order; empty: whichever it was.

    """
    told = OutboundMessage.objects.filter(
        contact_id=contact_id, key__in=ACKNOWLEDGEMENT_KEYS, created_at__gt=now - ALBUM_WINDOW
    )
    return told.filter(about=about).exists() if about else told.exists()


def notify_buyer(order: Order, text: Callable[[OrderFacts], Reply], *, now: datetime) -> None:
    """Queue the notice of a locked order's buyer; a sale without a contact has nobody to tell."""
    if order.contact is not None:
        notify_contact(order.contact, text(facts.gather_order_facts(order, now=now)), now=now)


def notify_contact(contact: WhatsAppContact, reply: Reply, *, now: datetime) -> None:
    """Queue a notice for a locked contact; outside the 24-hour window it waits."""
    outbox_queue.enqueue_message(
        contact, reply.message(), key=reply.key, kind=OutboxKind.NOTICE, now=now, about=reply.about
    )
