"""Attribution: the source by which a buyer came, until they buy or seven days have passed.

The last link or ad counts. The contact keeps it, each hold of the buyer copies it to its order,
whichever raffle it is of, and it ends when such an order is placed. So an order shows what led to
it, and what is bought later of the buyer's own accord shows nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shared.conversation import raffle_links
from shared.conversation.facts import draws
from shared.core.enums import OrderSourceKind
from shared.raffles.models import Order
from shared.raffles.order_sources import OrderSource, build_source
from shared.whatsapp.content import ContentKind, MessageContent
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.referrals import parse_referral

ATTRIBUTION_LIFETIME: Final = timedelta(days=7)
"""Time after the message that brought a source in which a hold is attributed to it.

Meta also attributes what follows a click on an ad for seven days by default.
"""


def note_source(
    contact: WhatsAppContact,
    content: MessageContent,
    payload: Mapping[str, Any],
    *,
    sent_at: datetime,
) -> None:
    """Set the contact's attribution if a message says how they came; the caller saves it.

    Args:
        contact: the buyer, locked.
        content: the content of the message.
        payload: the message as Meta sent it.
        sent_at: when it was sent, at most now.

    """
    source = find_source(content, payload)
    if source is not None and not _names_unknown_raffle(contact, content, source):
        contact.attribution = {
            "kind": source.kind.value,
            "name": source.name,
            "id": source.id,
            "at": sent_at.isoformat(),
        }


def _names_unknown_raffle(
    contact: WhatsAppContact, content: MessageContent, source: OrderSource
) -> bool:
    """Return whether a source is a link to no raffle of the buyer's business number."""
    link = raffle_links.parse_raffle_link(content.text)
    if source.kind is not OrderSourceKind.LINK or link is None:
        return False
    number = contact.phone_number_id
    return draws.find_public_raffle(link.raffle_id, phone_number_id=number) is None


def find_source(content: MessageContent, payload: Mapping[str, Any]) -> OrderSource | None:
    """Return how a buyer came, as far as a message says it.

    An ad may open the chat with the text of a link; then the word of the link names it.
    """
    is_text = content.kind is ContentKind.TEXT
    link = raffle_links.parse_raffle_link(content.text) if is_text else None
    word = link.source if link is not None else ""
    referral = parse_referral(payload)
    if referral is not None:
        kind = OrderSourceKind.POST if referral.is_post else OrderSourceKind.AD
        return OrderSource(kind, word or referral.headline, referral.source_id)
    return OrderSource(OrderSourceKind.LINK, word) if link is not None else None


def get_current_source(contact: WhatsAppContact, *, now: datetime) -> OrderSource | None:
    """Return the source that a hold of the buyer is attributed to; None: none is known."""
    noted: Mapping[str, Any] = contact.attribution or {}
    source = build_source(noted.get("kind"), noted.get("name"), noted.get("id"))
    if source is None or now - datetime.fromisoformat(noted["at"]) > ATTRIBUTION_LIFETIME:
        return None
    return source


def end_attribution(contact: WhatsAppContact, orders: Iterable[Order]) -> None:
    """End the contact's attribution if one of their orders was placed under it.

    An order from before the last link or ad does not end what that brings. The caller saves it.
    """
    noted: Mapping[str, Any] = contact.attribution or {}
    for order in orders:
        if order.source is None or order.placed_at is None or not noted:
            continue
        if order.created_at >= datetime.fromisoformat(noted["at"]):
            contact.attribution = None
