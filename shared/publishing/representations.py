"""What other systems read of an order: one description, in the API's answers and in events.

Money is text with its decimals, times are ISO 8601 with their offset, and ticket numbers are text
with their zeros, so that no program rounds, shifts or shortens them.
"""

from datetime import datetime
from typing import Annotated

from django.db.models import Prefetch, QuerySet
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from shared.raffles import models
from shared.raffles.models import OrderTicket, collect_ticket_numbers
from shared.whatsapp.models import WhatsAppContact

type Moment = Annotated[
    AwareDatetime,
    PlainSerializer(datetime.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time, written as ISO 8601 with its offset, e.g. 2026-12-12T20:00:00+00:00."""


class Representation(BaseModel):
    """A part of an answer: every field is always there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RaffleName(Representation):
    """The raffle an order belongs to."""

    id: int
    title: str = Field(examples=["Summer Raffle"])


class Buyer(Representation):
    """Who bought; the phone is absent while a buyer hides it."""

    name: str = Field(examples=["Ana"])
    phone: str | None = Field(examples=["+15550100001"], description="E.164, with its plus.")
    user_id: str | None = Field(description="Business-scoped user id at Meta.")


class Proof(Representation):
    """A payment proof: a picture or PDF that a buyer sent."""

    id: int
    status: str = Field(examples=["KEPT"], description="FETCHING, KEPT or FAILED.")
    verdict: str = Field(
        examples=["PENDING"], description="PENDING, ACCEPTED, REJECTED or DISMISSED."
    )
    content_type: str = Field(examples=["image/jpeg"], description="By the file's content.")
    arrived_at: Moment
    late: bool = Field(description="The order had ended before it was sent.")
    sha256: str = Field(description="Of the file, in hex; empty while it is fetched.")


class Order(Representation):
    """An order: what is bought, by whom, and how far it got."""

    id: int
    code: str | None = Field(examples=["R-7K3F9"], description="What people call it.")
    status: str = Field(
        examples=["PENDING_PAYMENT"],
        description="DRAFT, PENDING_PAYMENT, PAID, CANCELLED or EXPIRED.",
    )
    raffle: RaffleName
    buyer: Buyer | None
    numbers: list[str] = Field(examples=[["007", "213"]])
    quantity: int
    unit_price: str = Field(examples=["5.00"])
    total: str = Field(examples=["10.00"])
    currency: str = Field(examples=["USD"], description="ISO 4217.")
    created_at: Moment
    placed_at: Moment | None
    expires_at: Moment | None = Field(description="When its time ends; null: no clock runs.")
    under_review_since: Moment | None
    closed_at: Moment | None = Field(description="When it was paid, cancelled or has expired.")
    needs_decision: bool = Field(description="Paid too late, numbers gone: a person decides.")
    proofs: list[Proof]


def query_represented_orders() -> QuerySet[models.Order]:
    """Give orders with all that their description reads, in a fixed number of queries."""
    tickets = OrderTicket.objects.select_related("ticket").only(
        "order_id", "released_at", "ticket__number"
    )
    return models.Order.objects.select_related("raffle", "contact").prefetch_related(
        Prefetch("order_tickets", queryset=tickets), "proofs"
    )


def represent_order(found: models.Order) -> Order:
    """Describe an order, read by `orders()`."""
    return Order(
        id=found.pk,
        code=found.code,
        status=found.status,
        raffle=RaffleName(id=found.raffle_id, title=found.raffle.title),
        buyer=represent_buyer(found),
        numbers=represent_ticket_numbers(found),
        quantity=found.quantity,
        unit_price=str(found.unit_price),
        total=str(found.total),
        currency=found.currency,
        created_at=found.created_at,
        placed_at=found.placed_at,
        expires_at=found.expires_at,
        under_review_since=found.under_review_since,
        closed_at=found.closed_at,
        needs_decision=found.needs_decision,
        proofs=[represent_proof(each) for each in found.proofs.all()],
    )


def represent_ticket_numbers(found: models.Order) -> list[str]:
    """Write the numbers an order holds or, once released, held last, with their zeros."""
    return [
        found.raffle.format_ticket_number(number)
        for number in collect_ticket_numbers(found.order_tickets.all())
    ]


def represent_buyer(found: models.Order) -> Buyer | None:
    """Describe an order's buyer; of a sale for cash as it was written down."""
    if found.contact is not None:
        return represent_contact(found.contact)
    if not (found.buyer_name or found.buyer_phone):
        return None
    return Buyer(name=found.buyer_name, phone=found.buyer_phone or None, user_id=None)


def represent_contact(found: WhatsAppContact) -> Buyer:
    """Describe a buyer by their contact."""
    return Buyer(
        name=found.profile_name or found.username or "",
        phone=f"+{found.wa_id}" if found.wa_id else None,
        user_id=found.user_id,
    )


def represent_proof(found: models.PaymentProof) -> Proof:
    """Describe a payment proof."""
    return Proof(
        id=found.pk,
        status=found.status,
        verdict=found.verdict,
        content_type=found.content_type,
        arrived_at=found.arrived_at,
        late=found.late,
        sha256=found.sha256,
    )
