"""Representations of orders, shared by the API's responses and by events.

Money is text with its decimals, times are ISO 8601 with their offset, and ticket numbers are text
with their leading zeros, so that no client rounds, shifts or shortens them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from django.db.models import BigIntegerField, Exists, OuterRef, Prefetch, QuerySet, Subquery
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from shared.core.enums import LedgerKind, OrderAction, OrderStatus
from shared.core.statements.bound_statements import run_statement, run_together
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.raffles import models
from shared.raffles.models import (
    LedgerEntry,
    OrderEvent,
    OrderTicket,
    collect_ticket_numbers,
)
from shared.raffles.order_tickets import choose_ticket_numbers
from shared.whatsapp.models import WhatsAppContact


def _format_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


type Moment = Annotated[
    AwareDatetime,
    PlainSerializer(_format_moment, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in UTC, as ISO 8601 with its offset, e.g. 2026-12-12T20:00:00+00:00."""


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
    status: str = Field(examples=["KEPT"], description="FETCHING, KEPT, FAILED or ERASED.")
    verdict: str = Field(
        examples=["PENDING"], description="PENDING, ACCEPTED, REJECTED or DISMISSED."
    )
    content_type: str = Field(examples=["image/jpeg"], description="By the file's content.")
    arrived_at: Moment
    late: bool = Field(description="The order had ended before it was sent.")
    sha256: str = Field(description="Of the file, in hex; empty while it is fetched.")


class Source(Representation):
    """What led the buyer of an order to the chat."""

    kind: str = Field(examples=["LINK"], description="LINK, AD or POST; the last two are Meta's.")
    name: str = Field(
        examples=["poster"],
        description="The word of the raffle's link, or the headline of the ad; may be empty.",
    )
    id: str = Field(description="Meta's id of the ad or post; empty for a link.")


class Refund(Representation):
    """The refund of a confirmed payment."""

    amount: str = Field(examples=["10.00"])
    currency: str = Field(examples=["USD"], description="ISO 4217.")
    reference: str = Field(
        examples=["SPEI 90412"], description="E.g. of the bank transfer; may be empty."
    )
    at: Moment


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
    needs_decision: bool = Field(
        description="A payment that cannot be confirmed as it is: a person decides."
    )
    confirmation_id: int | None = Field(
        examples=[97],
        description="The confirmation of its payment, to undo or refund it; null: there is none, "
        "or it was undone or refunded.",
    )
    refund: Refund | None = Field(
        description="How its confirmed payment went back; null: it did not."
    )
    source: Source | None = Field(
        description="The link or ad by which the buyer came; null: not known."
    )
    proofs: list[Proof]


def query_represented_orders() -> QuerySet[models.Order]:
    """Return orders with all that `represent_order` reads, in a fixed number of queries."""
    tickets = OrderTicket.objects.select_related("ticket").only(
        "order_id", "released_at", "ticket__number"
    )
    refunds = LedgerEntry.objects.filter(kind=LedgerKind.REFUNDED)
    confirmations = OrderEvent.objects.filter(order=OuterRef("pk"), action=OrderAction.PAID)
    return (
        models.Order.objects.select_related("raffle", "contact")
        .annotate(last_confirmation_id=Subquery(confirmations.order_by("-id").values("pk")[:1]))
        .prefetch_related(
            Prefetch("order_tickets", queryset=tickets),
            Prefetch("ledger", queryset=refunds, to_attr="refunds"),
            "proofs",
        )
    )


def represent_order(order: models.Order) -> Order:
    """Return the representation of an order read by `query_represented_orders`."""
    return _represent_order(
        order,
        numbers=collect_ticket_numbers(order.order_tickets.all()),
        proofs=order.proofs.all(),
        refunds=getattr(order, "refunds", []),
        last_confirmation_id=getattr(order, "last_confirmation_id", None),
    )


def represent_locked_order(order: models.Order) -> Order:
    """Return the representation of an order that this transaction holds locked.

    What the order itself has is not read again. Its tickets, proofs and refunds are, because they
    may have changed since somebody last read them. Few orders have proofs or a refund when they
    change, so one statement reads the tickets and whether there are any.
    """
    parts = _load_parts(order)
    _, _, has_proofs, is_refunded = parts[0]
    is_paid = order.status == OrderStatus.PAID
    return _represent_order(
        order,
        numbers=choose_ticket_numbers(
            (number, released_at) for number, released_at, *_ in parts if number is not None
        ),
        proofs=order.proofs.all() if has_proofs else (),
        refunds=order.ledger.filter(kind=LedgerKind.REFUNDED) if is_refunded else (),
        last_confirmation_id=(
            max(_CONFIRMATIONS.fetch(order=order.pk), default=None) if is_paid else None
        ),
    )


def _load_parts(order: models.Order) -> list[tuple[Any, ...]]:
    """Return the rows of `_PARTS_OF_ORDER`, and load the order's contact if it has one."""
    parts = _PARTS_OF_ORDER.bind(order=order.pk)
    if order.contact_id is None or models.Order.contact.is_cached(order):
        return run_statement(parts)
    rows: list[tuple[Any, ...]]
    rows, (order.contact,) = run_together(parts, _CONTACTS.bind(ids=[order.contact_id]))
    return rows


_ORDER_ID: Final = Parameter("order", BigIntegerField())
_CONTACTS: Final = CompiledQuery(lambda: WhatsAppContact.objects.filter(IsIn("id", "ids")))
_PARTS_OF_ORDER: Final = CompiledQuery(
    lambda: models.Order.objects.filter(pk=_ORDER_ID).values_list(
        "order_tickets__ticket__number",
        "order_tickets__released_at",
        Exists(models.PaymentProof.objects.filter(order=OuterRef("pk"))),
        Exists(LedgerEntry.objects.filter(order=OuterRef("pk"), kind=LedgerKind.REFUNDED)),
    )
)
"""Number and time of release of each ticket, None without any; whether it has proofs, a refund."""
_CONFIRMATIONS: Final = CompiledQuery(
    lambda: OrderEvent.objects.filter(order_id=_ORDER_ID, action=OrderAction.PAID).values_list(
        "pk", flat=True
    )
)


def _represent_order(
    order: models.Order,
    *,
    numbers: Iterable[int],
    proofs: Iterable[models.PaymentProof],
    refunds: Iterable[LedgerEntry],
    last_confirmation_id: int | None,
) -> Order:
    """Return the representation of an order; it is refunded once at most."""
    refund = next(iter(refunds), None)
    money_is_in = order.status == OrderStatus.PAID and refund is None
    return Order(
        id=order.pk,
        code=order.code,
        status=order.status,
        raffle=RaffleName(id=order.raffle_id, title=order.raffle.title),
        buyer=represent_buyer(order),
        numbers=[order.raffle.format_ticket_number(number) for number in numbers],
        quantity=order.quantity,
        unit_price=str(order.unit_price),
        total=str(order.total),
        currency=order.currency,
        created_at=order.created_at,
        placed_at=order.placed_at,
        expires_at=order.expires_at,
        under_review_since=order.under_review_since,
        closed_at=order.closed_at,
        needs_decision=order.needs_decision,
        confirmation_id=last_confirmation_id if money_is_in else None,
        refund=None if refund is None else represent_refund(refund),
        source=_represent_source(order),
        proofs=[represent_proof(proof) for proof in proofs],
    )


def _represent_source(order: models.Order) -> Source | None:
    source = order.source
    return None if source is None else Source(kind=source.kind, name=source.name, id=source.id)


def represent_refund(refund: LedgerEntry) -> Refund:
    """Return the representation of the ledger entry of a refund."""
    return Refund(
        amount=str(refund.amount),
        currency=refund.currency,
        reference=refund.reference,
        at=refund.at,
    )


def represent_ticket_numbers(order: models.Order) -> list[str]:
    """Return the numbers an order holds, or held last, with their leading zeros."""
    return [
        order.raffle.format_ticket_number(number)
        for number in collect_ticket_numbers(order.order_tickets.all())
    ]


def represent_buyer(order: models.Order) -> Buyer | None:
    """Return the buyer of an order; None for a cash sale without name and phone."""
    if order.contact is not None:
        return represent_contact(order.contact)
    if not (order.buyer_name or order.buyer_phone):
        return None
    return Buyer(name=order.buyer_name, phone=order.buyer_phone or None, user_id=None)


def represent_contact(contact: WhatsAppContact) -> Buyer:
    """Return a contact as a buyer."""
    return Buyer(
        name=contact.profile_name or contact.username or "",
        phone=f"+{contact.wa_id}" if contact.wa_id else None,
        user_id=contact.user_id,
    )


def represent_proof(proof: models.PaymentProof) -> Proof:
    """Return the representation of a payment proof."""
    return Proof(
        id=proof.pk,
        status=proof.status,
        verdict=proof.verdict,
        content_type=proof.content_type,
        arrived_at=proof.arrived_at,
        late=proof.late,
        sha256=proof.sha256,
    )
