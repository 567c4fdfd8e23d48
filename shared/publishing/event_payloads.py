"""Payloads of events, the same in deliveries and in the feed.

The models are the source of the OpenAPI schema. A payload itself is built from the stored event
without validation, so that events recorded before a field was added can still be read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from shared.core.enums import EventType, OrderStatus
from shared.events.models import Event
from shared.publishing import representations, signed_links
from shared.publishing.draw_representations import DrawnPrize, SealedDraw, Winner
from shared.publishing.representations import Moment, Representation


class Doer(Representation):
    """Who did it."""

    kind: str = Field(examples=["staff"], description="chat (the buyer), staff, token or sweeper.")
    label: str = Field(examples=["rita"], description="Their name.")


class ReceivedProof(Representation):
    """The payment proof that was received, with a link that needs no token."""

    id: int
    url: str = Field(
        examples=["https://raffles.example/api/proofs/12/file?signature=12.1796385600.b7Jk"],
        description="The file itself; until `expires_at` whoever has the link can read it.",
    )
    expires_at: Moment
    content_type: str = Field(examples=["image/jpeg"])
    sha256: str = Field(description="Of the file, in hex.")
    duplicate_of: str | None = Field(
        examples=["R-4M8TQ"],
        description="The code of another order that has a proof with the very same bytes.",
    )


class Actions(Representation):
    """What can be done about it; both want a POST with a token that may review."""

    confirm_url: str = Field(examples=["https://raffles.example/api/orders/12/confirm-payment"])
    reject_url: str = Field(examples=["https://raffles.example/api/orders/12/reject-payment"])


class OrderData(Representation):
    """An order as it was right after what happened."""

    order: representations.Order
    reason: str = Field(
        examples=["Illegible: only half of it is there"], description="May be empty."
    )
    by: Doer | None = Field(description="Who did it; null where nobody did.")
    proof: ReceivedProof | None = Field(description="With `order.proof_received` only.")
    actions: Actions | None = Field(description="While the payment can be confirmed or rejected.")


class SoldOutRaffle(representations.RaffleName):
    """A raffle whose every number is sold."""

    prize: str = Field(examples=["a motorbike"])
    sold: int = Field(examples=[1000], description="How many numbers there were.")
    draw_at: Moment | None


class RaffleData(Representation):
    """What `raffle.sold_out` tells."""

    raffle: SoldOutRaffle


class ChangedRaffle(representations.RaffleName):
    """A raffle as it was right after the change."""

    prize: str = Field(examples=["a motorbike"])
    status: str = Field(
        examples=["OPEN"],
        description="DRAFT, OPEN, PAUSED, CLOSED, SEALED, DRAWN or CANCELLED (called off).",
    )
    draw_at: Moment | None
    draw_when_sold_out: bool = Field(description="Drawn when all numbers are sold, at no date.")


class MovedDraw(Representation):
    """The draw date of a raffle before and after it was moved."""

    before: Moment | None = Field(description="null: it was to be drawn when sold out.")
    after: Moment | None = Field(description="null: it will be drawn when sold out.")


class RaffleChangeData(Representation):
    """What `raffle.draw_moved` and `raffle.called_off` tell."""

    raffle: ChangedRaffle
    draw: MovedDraw | None = Field(description="With `raffle.draw_moved` only.")
    reason: str = Field(examples=["The permit came late."], description="Buyers read it too.")
    by: Doer


class SealedRaffleData(Representation):
    """What `raffle.sealed` tells."""

    raffle: ChangedRaffle
    sealed: SealedDraw
    by: Doer


class DrawnRaffleData(Representation):
    """What `raffle.drawn` tells; who won follows with `winner.confirmed`."""

    raffle: ChangedRaffle
    sealed: SealedDraw
    redrawn: bool = Field(description="Whether prizes were drawn before, and are drawn again now.")
    results: list[DrawnPrize] = Field(description="What was drawn now, in the order of the prizes.")
    by: Doer


class WinnerData(Representation):
    """What `winner.confirmed` and `prize.claimed` tell."""

    raffle: ChangedRaffle
    result: DrawnPrize
    winner: Winner
    by: Doer


class FailedMessage(Representation):
    """A message that a buyer did not get; what it said is not told."""

    id: int
    key: str = Field(examples=["paid"], description="Which of the bot's texts it is.")
    kind: str = Field(examples=["NOTICE"], description="REPLY to the buyer, or NOTICE of news.")
    order_code: str | None = Field(examples=["R-7K3F9"])
    buyer: representations.Buyer
    reason: str = Field(examples=["Meta refused the recipient's number."])
    error_code: int | None = Field(examples=[131026], description="Meta's, if there was one.")
    created_at: Moment


class MessageData(Representation):
    """What `message.failed` tells."""

    message: FailedMessage


class WaitingContact(Representation):
    """A buyer who waits for an answer from a person; what they wrote is in their chat."""

    id: int
    buyer: representations.Buyer
    waiting_since: Moment
    url: str = Field(
        examples=["https://raffles.example/admin/whatsapp/whatsappcontact/12/change/"],
        description="Their chat in the back office.",
    )


class ContactData(Representation):
    """What `contact.wants_person` tells."""

    contact: WaitingContact


class Alert(Representation):
    """A trouble with the channel or the product that a person must look at."""

    key: str = Field(examples=["paused:106540352242922"], description="Names the trouble.")
    title: str = Field(examples=["Sending is paused"])
    detail: str
    phone_number_id: str = Field(description="Of the business number, or empty.")


class AlertData(Representation):
    """What `channel.alert` tells."""

    alert: Alert


class _EventPayload(Representation):
    id: str = Field(
        examples=["evt_5f2b8c0e9d7a4b1c8e6f3a2d1c0b9a87"],
        description="Names the event: what comes twice has the same.",
    )
    type: str
    created_at: Moment
    sequence: int | None = Field(
        examples=[4711], description="Its place in the feed, for `after`; it only grows."
    )


class OrderTold(_EventPayload):
    """Something happened to an order."""

    type: Literal[
        EventType.ORDER_CREATED,
        EventType.ORDER_PROOF_RECEIVED,
        EventType.ORDER_PAID,
        EventType.ORDER_REJECTED,
        EventType.ORDER_CANCELLED,
        EventType.ORDER_EXPIRED,
        EventType.ORDER_LATE_PAYMENT,
        EventType.ORDER_UNCONFIRMED,
        EventType.ORDER_REFUNDED,
    ]
    data: OrderData


class RaffleTold(_EventPayload):
    """The last number of a raffle is sold."""

    type: Literal[EventType.RAFFLE_SOLD_OUT]
    data: RaffleData


class RaffleChangeTold(_EventPayload):
    """The draw of a raffle was moved, or the raffle was called off."""

    type: Literal[EventType.RAFFLE_DRAW_MOVED, EventType.RAFFLE_CALLED_OFF]
    data: RaffleChangeData


class RaffleSealedTold(_EventPayload):
    """The list of sold numbers of a raffle is final; the draw follows."""

    type: Literal[EventType.RAFFLE_SEALED]
    data: SealedRaffleData


class RaffleDrawnTold(_EventPayload):
    """Prizes of a raffle were drawn, for the first time or again."""

    type: Literal[EventType.RAFFLE_DRAWN]
    data: DrawnRaffleData


class WinnerTold(_EventPayload):
    """A person confirmed a winner, or noted that the prize was claimed."""

    type: Literal[EventType.WINNER_CONFIRMED, EventType.PRIZE_CLAIMED]
    data: WinnerData


class MessageTold(_EventPayload):
    """A message could not be sent or delivered."""

    type: Literal[EventType.MESSAGE_FAILED]
    data: MessageData


class ContactTold(_EventPayload):
    """A buyer waits for a person; told when the wait begins."""

    type: Literal[EventType.CONTACT_WANTS_PERSON]
    data: ContactData


class AlertTold(_EventPayload):
    """Something needs a person; told when the trouble begins."""

    type: Literal[EventType.CHANNEL_ALERT]
    data: AlertData


type Envelope = Annotated[
    OrderTold
    | RaffleTold
    | RaffleChangeTold
    | RaffleSealedTold
    | RaffleDrawnTold
    | WinnerTold
    | MessageTold
    | ContactTold
    | AlertTold,
    Field(discriminator="type"),
]
"""An event as other systems read it, by its type."""


def build_event_payload(event: Event, *, public_url: str, now: datetime) -> dict[str, Any]:
    """Return the payload of an event, ready for JSON.

    Args:
        event: the recorded event.
        public_url: the address of the back office, without a trailing slash.
        now: the start of the week for which links to proofs are valid.

    Returns:
        A payload with the fields of `Envelope`.

    """
    data = dict(event.data)
    if "order" in data:
        proof = data.get("proof")
        data["proof"] = proof and _add_proof_link(proof, public_url=public_url, now=now)
        data["actions"] = _build_actions(data["order"], public_url=public_url)
    if "contact" in data:
        data["contact"] = _add_chat_link(data["contact"], public_url=public_url)
    return {
        "id": event.event_id,
        "type": str(event.type),
        "created_at": event.created_at.isoformat(),
        "sequence": event.sequence,
        "data": data,
    }


def _build_actions(order: Mapping[str, Any], *, public_url: str) -> dict[str, str] | None:
    """Return the addresses to confirm or reject a payment; None if neither is possible."""
    if order["status"] != OrderStatus.PENDING_PAYMENT and not order["needs_decision"]:
        return None
    order_url = f"{public_url}/api/orders/{order['id']}"
    return {
        "confirm_url": f"{order_url}/confirm-payment",
        "reject_url": f"{order_url}/reject-payment",
    }


def _add_chat_link(contact: Mapping[str, Any], *, public_url: str) -> dict[str, Any]:
    url = f"{public_url}/admin/whatsapp/whatsappcontact/{contact['id']}/change/"
    return {**contact, "url": url}


def _add_proof_link(proof: Mapping[str, Any], *, public_url: str, now: datetime) -> dict[str, Any]:
    return {
        **proof,
        "url": signed_links.build_proof_url(proof["id"], public_url=public_url, now=now),
        "expires_at": signed_links.compute_link_expiry(now=now).isoformat(),
    }
