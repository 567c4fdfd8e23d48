"""Messages to buyers about changes of their orders."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from shared.conversation.facts import gathering
from shared.conversation.facts.values import OrderFacts
from shared.conversation.values import Reply
from shared.core.constants import ALBUM_WINDOW
from shared.core.enums import OutboxKind, OutboxStatus
from shared.raffles.models import Order
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import outbox_queue

ACKNOWLEDGEMENT_KEYS: Final = (
    "proof_received",
    "proof_attached",
    "proof_added",
    "proof_for_several",
    "late_proof",
    "late_proof_secured",
    "too_late_for_draw",
    "order_made",
)
"""Keys of the texts that acknowledge a proof."""


UNPLACED_KEYS: Final = ("which_order", "orphan_proof", "review_limit")
"""Keys of the texts that acknowledge a proof without an order."""


def has_recent_acknowledgement(
    contact_id: int | None,
    *,
    now: datetime,
    about: str = "",
    keys: Collection[str] = ACKNOWLEDGEMENT_KEYS,
) -> bool:
    """Return whether a proof was acknowledged to a contact within `ALBUM_WINDOW`.

    The pictures of an album arrive as single messages; one acknowledgement is enough, if it was
    not withdrawn.

    Args:
        contact_id: the buyer; for None the result is false.
        now: the current time.
        about: the code of the order that was acknowledged; empty: any order.
        keys: keys of the texts that count.

    """
    recent = OutboundMessage.objects.filter(
        contact_id=contact_id, key__in=keys, created_at__gt=now - ALBUM_WINDOW
    ).exclude(status=OutboxStatus.STALE)
    return recent.filter(about=about).exists() if about else recent.exists()


def notify_buyer(
    order: Order, build_reply: Callable[[OrderFacts], Reply], *, now: datetime
) -> None:
    """Queue a message to the buyer of a locked order, if it has a contact that is not erased.

    Args:
        order: the order, locked together with its contact.
        build_reply: a function that builds the reply from the order's facts.
        now: the current time.

    """
    if order.contact is not None:
        notify_contact(
            order.contact, build_reply(gathering.gather_order_facts(order, now=now)), now=now
        )


def notify_contact(contact: WhatsAppContact, reply: Reply, *, now: datetime) -> None:
    """Queue a message to a locked contact; outside the 24-hour window it is withheld.

    An erased contact gets none.
    """
    if contact.erased_at is not None:
        return
    outbox_queue.enqueue_message(
        contact,
        reply.to_whatsapp_message(),
        key=reply.key,
        kind=OutboxKind.NOTICE,
        now=now,
        about=reply.about,
    )
