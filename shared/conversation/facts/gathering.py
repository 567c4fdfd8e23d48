"""Facts for decisions of the conversation: the raffles on sale and the buyers' orders.

They are gathered for many buyers at a time, with the same few statements as for one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from shared.conversation import formatting
from shared.conversation.facts import statements
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import DrawMethod, Mode, OrderStatus
from shared.raffles import sale_rules
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability
from shared.raffles.services.queries import order_queries
from shared.whatsapp.models import WhatsAppContact
from shared.whatsapp.services import handover

MAX_EXAMPLE_NUMBERS: Final = 5
"""The most free numbers that are shown as examples where a buyer picks."""

WORDS_AFTER_WINDOW: Final = timedelta(hours=1)
"""Time after a picture without an order in which an order code says where it belongs."""

_AFTER_DRAW_REASONS: Final = frozenset({"sealed", "drawn"})
"""Reasons of `sale_rules.get_not_selling_reason` that a raffle has from its draw on."""


@dataclass(frozen=True, slots=True)
class FactsQuestion:
    """What a decision about one buyer needs to know.

    Attributes:
        contact: the buyer, locked.
        pivot: a random integer from 0 to 2^31-1 that chooses the free numbers to show as examples.
        codes: what may be codes of orders that the event names.
        order_ids: other orders that the event is about.

    """

    contact: WhatsAppContact
    pivot: int
    codes: Collection[str] = ()
    order_ids: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class _FactRows:
    """The rows that the facts about several buyers are built from.

    Attributes:
        orders: the orders of each buyer by contact id, ascending, with their raffles.
        on_sale: the raffles on sale by business number.
        raffles: the facts about each raffle, without those about a buyer.
        examples: free ticket numbers by raffle id and pivot.
        numbers: the ticket numbers of each order.
        with_receipt: the ids of the orders with a receipt.
        unplaced: the latest proof without an order by contact id.

    """

    orders: Mapping[int, list[Order]]
    on_sale: Mapping[str, list[Raffle]]
    raffles: Mapping[int, RaffleFacts]
    examples: Mapping[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)
    numbers: Mapping[int, list[int]] = field(default_factory=dict)
    with_receipt: Collection[int] = ()
    unplaced: Mapping[int, int] = field(default_factory=dict)


def gather_facts_of_buyers(questions: Sequence[FactsQuestion], *, now: datetime) -> list[Facts]:
    """Return the facts about several buyers, in the order of the questions.

    Args:
        questions: one about each buyer.
        now: the time of the decisions.

    """
    rows = _load_fact_rows(questions, now=now)
    return [_build_facts(question, rows, now=now) for question in questions]


def gather_order_facts(order: Order, *, now: datetime) -> OrderFacts:
    """Return the facts about one order, for a message about it."""
    raffle = build_raffle_facts([order.raffle], now=now)[order.raffle_id]
    numbers = order_queries.load_ticket_numbers([order.pk])
    with_receipt = statements.ORDERS_WITH_RECEIPT.fetch(orders=[order.pk])
    return _build_order_facts(
        order, raffle=raffle, numbers=numbers[order.pk], has_receipt=bool(with_receipt)
    )


def find_seller_contact(contact: WhatsAppContact, *, now: datetime) -> str:
    """Return how a buyer reaches the seller; empty without any raffle on sale or order."""
    on_sale = availability.list_raffles_on_sale(contact.phone_number_id, now=now)
    orders = _load_orders([FactsQuestion(contact, pivot=0)])[contact.pk]
    _attach_raffles(orders, known=on_sale)
    return _choose_seller_contact(on_sale, orders)


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────


def _load_fact_rows(questions: Sequence[FactsQuestion], *, now: datetime) -> _FactRows:
    """Load what several questions need; nothing about orders if there are none."""
    orders_by_buyer = _load_orders(questions)
    on_sale = availability.list_raffles_on_sale_by_number(
        {question.contact.phone_number_id for question in questions}, now=now
    )
    orders = [order for of_buyer in orders_by_buyer.values() for order in of_buyer]
    raffles = _attach_raffles(orders, known=[each for sold in on_sale.values() for each in sold])
    rows = _FactRows(
        orders=orders_by_buyer,
        on_sale=on_sale,
        raffles=build_raffle_facts(raffles, now=now),
        examples=_load_examples(questions, on_sale),
    )
    if not orders:
        return rows
    order_ids = [order.pk for order in orders]
    return replace(
        rows,
        numbers=order_queries.load_ticket_numbers(order_ids),
        with_receipt=set(statements.ORDERS_WITH_RECEIPT.fetch(orders=order_ids)),
        unplaced=_find_unplaced_proofs(questions, orders_by_buyer, now=now),
    )


def _load_orders(questions: Sequence[FactsQuestion]) -> dict[int, list[Order]]:
    """Return the orders of each buyer by contact id, ascending: those known and those named."""
    contact_ids = [question.contact.pk for question in questions]
    found: dict[int, dict[int, Order]] = {contact_id: {} for contact_id in contact_ids}
    known_orders: list[Order] = statements.ORDERS_OF_BUYERS.fetch(contacts=contact_ids)
    for order in known_orders:
        found[_get_buyer_id(order)][order.pk] = order
    missing: dict[int, set[int | str]] = {}
    for question in questions:
        known = found[question.contact.pk]
        ids = set(question.order_ids) - set(known)
        codes = set(question.codes) - {order.code for order in known.values()}
        if ids or codes:
            missing[question.contact.pk] = {*ids, *codes}
    if missing:
        named = {each for of_buyer in missing.values() for each in of_buyer}
        for order in statements.NAMED_ORDERS.fetch(
            contacts=list(missing),
            ids=[each for each in named if isinstance(each, int)],
            codes=[each for each in named if isinstance(each, str)],
        ):
            if missing[_get_buyer_id(order)] & {order.pk, order.code}:
                found[_get_buyer_id(order)][order.pk] = order
    return {
        contact_id: sorted(orders.values(), key=lambda order: order.pk)
        for contact_id, orders in found.items()
    }


def _get_buyer_id(order: Order) -> int:
    assert order.contact_id is not None  # noqa: S101 - it was found by its buyer
    return order.contact_id


def _attach_raffles(orders: Sequence[Order], *, known: Sequence[Raffle]) -> list[Raffle]:
    """Give orders their raffles; return these and the known ones, each once."""
    raffles = {raffle.pk: raffle for raffle in known}
    missing = {order.raffle_id for order in orders} - set(raffles)
    if missing:
        loaded = statements.RAFFLES.fetch(ids=sorted(missing))
        raffles |= {raffle.pk: raffle for raffle in loaded}
    for order in orders:
        order.raffle = raffles[order.raffle_id]
    return list(raffles.values())


def _load_examples(
    questions: Sequence[FactsQuestion], on_sale: Mapping[str, Sequence[Raffle]]
) -> dict[tuple[int, int], tuple[int, ...]]:
    """Return free ticket numbers by raffle id and pivot, where a buyer may see them."""
    places = sorted(
        {
            (raffle.pk, question.pivot)
            for question in questions
            for raffle in _list_detailed_raffles(
                question.contact, on_sale[question.contact.phone_number_id]
            )
        }
    )
    found = availability.pick_free_examples_at(places, limit=MAX_EXAMPLE_NUMBERS)
    return dict(zip(places, found, strict=True))


def _list_detailed_raffles(contact: WhatsAppContact, on_sale: Sequence[Raffle]) -> list[Raffle]:
    """Return the raffles whose free numbers may be shown: the chosen or only one."""
    if len(on_sale) == 1:
        return list(on_sale)
    chosen_id = contact.context.get("raffle_id")
    return [raffle for raffle in on_sale if raffle.pk == chosen_id]


def _find_unplaced_proofs(
    questions: Sequence[FactsQuestion],
    orders: Mapping[int, Collection[Order]],
    *,
    now: datetime,
) -> dict[int, int]:
    """Return the latest proof without an order of each buyer who names one of their orders."""
    contact_ids = [
        question.contact.pk
        for question in questions
        if any(order.code in question.codes for order in orders[question.contact.pk])
    ]
    if not contact_ids:
        return {}
    since = now - WORDS_AFTER_WINDOW
    return dict(statements.UNPLACED_PROOFS.fetch(contacts=contact_ids, since=since))


# ── facts ────────────────────────────────────────────────────────────────────────────────────────


def _build_facts(question: FactsQuestion, rows: _FactRows, *, now: datetime) -> Facts:
    contact = question.contact
    orders, on_sale = rows.orders[contact.pk], rows.on_sale[contact.phone_number_id]
    examples = {
        raffle.pk: rows.examples[raffle.pk, question.pivot]
        for raffle in _list_detailed_raffles(contact, on_sale)
    }
    raffles = {
        raffle.pk: _add_facts_about_buyer(
            rows.raffles[raffle.pk],
            remaining=_count_remaining_for_buyer(raffle, orders),
            examples=examples.get(raffle.pk, ()),
        )
        for raffle in (*on_sale, *(order.raffle for order in orders))
    }
    return Facts(
        now=now,
        raffles=tuple(raffles[raffle.pk] for raffle in on_sale),
        orders=tuple(
            _build_order_facts(
                order,
                raffle=raffles[order.raffle_id],
                numbers=rows.numbers[order.pk],
                has_receipt=order.pk in rows.with_receipt,
            )
            for order in orders
        ),
        seller_contact=_choose_seller_contact(on_sale, orders),
        unplaced_proof_id=rows.unplaced.get(contact.pk),
        is_adult=contact.adult_confirmed_at is not None,
        is_paused=handover.is_paused(contact, now=now),
        wants_person=contact.wants_person_at is not None,
        is_stopped=contact.stopped_at is not None,
    )


def build_raffle_facts(raffles: Collection[Raffle], *, now: datetime) -> dict[int, RaffleFacts]:
    """Return the facts about raffles that are the same for every buyer, by raffle id."""
    counts = availability.load_recent_counts_by_raffle(raffles, now=now)
    return {
        raffle.pk: _build_facts_about_raffle(raffle, available=counts[raffle.pk].available, now=now)
        for raffle in raffles
    }


def _build_facts_about_raffle(raffle: Raffle, *, available: int, now: datetime) -> RaffleFacts:
    reason = sale_rules.get_not_selling_reason(raffle, now=now)
    return RaffleFacts(
        id=raffle.pk,
        title=raffle.title,
        prize=raffle.prize,
        description=raffle.description,
        price=raffle.price,
        currency=raffle.currency,
        available=available,
        number_count=raffle.number_count,
        first_number=raffle.first_number,
        last_number=raffle.last_number,
        width=raffle.width,
        min_per_order=raffle.min_per_order,
        max_per_order=raffle.max_per_order,
        seller_contact=raffle.seller_contact,
        payment_instructions=raffle.payment_instructions,
        time_zone=raffle.time_zone,
        draw_at=raffle.draw_at,
        not_selling_reason=reason,
        draw_time_reached=reason in _AFTER_DRAW_REASONS
        or (raffle.draw_at is not None and raffle.draw_at <= now),
        draw_when_sold_out=raffle.draw_when_sold_out,
        draw_in_other_year=formatting.is_in_other_year(
            raffle.draw_at, now=now, time_zone=raffle.time_zone
        ),
        draw_method=DrawMethod(raffle.draw_method) if raffle.draw_method else None,
        adults_only=raffle.adults_only,
        hold_minutes=raffle.hold_minutes,
        promoter=raffle.promoter,
        permit_number=raffle.permit_number,
    )


def _add_facts_about_buyer(
    raffle: RaffleFacts, *, remaining: int | None, examples: tuple[int, ...]
) -> RaffleFacts:
    if remaining is None and not examples:
        return raffle
    return replace(raffle, remaining_for_buyer=remaining, example_numbers=examples)


def _count_remaining_for_buyer(raffle: Raffle, orders: Collection[Order]) -> int | None:
    """Return how many numbers a buyer may still take; those of their hold count as free."""
    if raffle.max_per_contact is None:
        return None
    kept = (OrderStatus.PENDING_PAYMENT, OrderStatus.PAID)
    taken = sum(
        order.quantity for order in orders if order.raffle_id == raffle.pk and order.status in kept
    )
    return max(0, raffle.max_per_contact - taken)


def _build_order_facts(
    order: Order, *, raffle: RaffleFacts, numbers: Sequence[int], has_receipt: bool
) -> OrderFacts:
    return OrderFacts(
        id=order.pk,
        code=str(order),
        raffle=raffle,
        status=OrderStatus(order.status),
        mode=Mode(order.mode),
        numbers=tuple(numbers),
        total=order.total,
        currency=order.currency,
        expires_at=_cap_deadline(order),
        under_review=order.under_review,
        needs_decision=order.needs_decision,
        asked_again=order.asked_again_at is not None,
        has_receipt=has_receipt,
        was_placed=order.placed_at is not None,
        receipt_entry=order.receipt_entry,
        receipt_head=order.receipt_head or "",
    )


def _cap_deadline(order: Order) -> datetime | None:
    """Return an order's deadline, which is never after the draw; None: no clock runs."""
    if order.expires_at is None or order.raffle.draw_at is None:
        return order.expires_at
    return min(order.expires_at, order.raffle.draw_at)


def _choose_seller_contact(on_sale: Collection[Raffle], orders: Sequence[Order]) -> str:
    raffles = [*on_sale, *(order.raffle for order in reversed(orders))]
    return raffles[0].seller_contact if raffles else ""
