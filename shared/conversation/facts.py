"""Facts for a decision of the conversation: the raffles on sale and the buyer's orders."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from shared.conversation import formatting
from shared.conversation.fact_values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import Mode, OrderStatus, ProofStatus, Verdict
from shared.raffles import sale_rules
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.predicates import UNSORTED_PROOFS
from shared.raffles.services import availability, order_queries
from shared.whatsapp.models import WhatsAppContact

MAX_ENDED_ORDERS: Final = 10
"""The most cancelled or expired orders that the chat knows, besides all live and paid ones."""

MAX_EXAMPLE_NUMBERS: Final = 5
"""The most free numbers that are shown as examples where a buyer picks."""

WORDS_AFTER_WINDOW: Final = timedelta(hours=1)
"""Time after a picture without an order in which an order code says where it belongs."""

_ENDED: Final = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)

_AFTER_DRAW_REASONS: Final = frozenset({"sealed", "drawn"})
"""Reasons of `sale_rules.get_not_selling_reason` that a raffle has from its draw on."""


def gather_facts(
    contact: WhatsAppContact,
    *,
    now: datetime,
    pivot: int,
    codes: Collection[str] = (),
    order_ids: Collection[int] = (),
) -> Facts:
    """Return the facts about one buyer, within the caller's transaction.

    Args:
        contact: the buyer, locked.
        now: the time of the decision.
        pivot: a random integer from 0 to 2^31-1 that chooses the free numbers to show as examples.
        codes: what may be codes of orders that the event names.
        order_ids: other orders that the event is about.

    """
    orders = _load_orders(contact, codes=codes, order_ids=order_ids)
    on_sale = availability.list_raffles_on_sale(contact.phone_number_id, now=now)
    detailed_ids = _choose_detailed_raffles(contact, on_sale)
    raffles = {
        raffle.pk: _build_raffle_facts(
            raffle,
            now=now,
            buyer=contact,
            example_numbers=_find_example_numbers(raffle, pivot=pivot)
            if raffle.pk in detailed_ids
            else (),
        )
        for raffle in on_sale
    }
    for order in orders:
        if order.raffle_id not in raffles:
            raffles[order.raffle_id] = _build_raffle_facts(order.raffle, now=now, buyer=contact)
    return Facts(
        now=now,
        raffles=tuple(raffles[raffle.pk] for raffle in on_sale),
        orders=_build_order_facts(orders, raffles=raffles),
        seller_contact=_choose_seller_contact(on_sale, orders),
        unplaced_proof_id=_find_unplaced_proof(contact, orders, now=now, codes=codes),
    )


def gather_order_facts(order: Order, *, now: datetime) -> OrderFacts:
    """Return the facts about one order, for a message about it."""
    raffle = _build_raffle_facts(order.raffle, now=now, buyer=None)
    return _build_order_facts([order], raffles={order.raffle_id: raffle})[0]


def find_seller_contact(contact: WhatsAppContact, *, now: datetime) -> str:
    """Return how a buyer reaches the seller; empty without any raffle on sale or order."""
    on_sale = availability.list_raffles_on_sale(contact.phone_number_id, now=now)
    return _choose_seller_contact(on_sale, _load_orders(contact))


def _load_orders(
    contact: WhatsAppContact, *, codes: Collection[str] = (), order_ids: Collection[int] = ()
) -> list[Order]:
    orders = Order.objects.filter(contact=contact).select_related("raffle")
    owning = list(orders.exclude(status__in=_ENDED).order_by("id"))
    ended = list(orders.filter(status__in=_ENDED).order_by("-id")[:MAX_ENDED_ORDERS])
    known = {order.pk: order for order in (*owning, *ended)}
    missing_ids = set(order_ids) - set(known)
    missing_codes = set(codes) - {order.code for order in known.values()}
    if missing_ids or missing_codes:
        meant = orders.filter(Q(pk__in=missing_ids) | Q(code__in=missing_codes))
        known |= {order.pk: order for order in meant}
    return sorted(known.values(), key=lambda order: order.pk)


def _find_unplaced_proof(
    contact: WhatsAppContact, orders: Collection[Order], *, now: datetime, codes: Collection[str]
) -> int | None:
    """Return the id of the latest proof without an order, if one of the codes is an order's."""
    if not any(order.code in codes for order in orders):
        return None
    recent = PaymentProof.objects.filter(
        UNSORTED_PROOFS,
        order__isnull=True,
        contact=contact,
        arrived_at__gte=now - WORDS_AFTER_WINDOW,
    )
    return recent.order_by("-arrived_at", "-id").values_list("pk", flat=True).first()


def _choose_detailed_raffles(contact: WhatsAppContact, on_sale: Collection[Raffle]) -> set[int]:
    """Return the ids of the raffles whose free numbers may be shown: the chosen or only one."""
    chosen_id = contact.context.get("raffle_id")
    return {raffle.pk for raffle in on_sale if len(on_sale) == 1 or raffle.pk == chosen_id}


def _find_example_numbers(raffle: Raffle, *, pivot: int) -> tuple[int, ...]:
    return tuple(availability.pick_free_examples(raffle, pivot=pivot, limit=MAX_EXAMPLE_NUMBERS))


def _build_raffle_facts(
    raffle: Raffle,
    *,
    now: datetime,
    buyer: WhatsAppContact | None,
    example_numbers: tuple[int, ...] = (),
) -> RaffleFacts:
    counts = availability.load_recent_counts(raffle.pk, now=now)
    reason = sale_rules.get_not_selling_reason(raffle, now=now)
    return RaffleFacts(
        id=raffle.pk,
        title=raffle.title,
        prize=raffle.prize,
        description=raffle.description,
        price=raffle.price,
        currency=raffle.currency,
        available=counts.available,
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
        remaining_for_buyer=_count_remaining_for_buyer(buyer, raffle),
        example_numbers=example_numbers,
        not_selling_reason=reason,
        draw_time_reached=reason in _AFTER_DRAW_REASONS
        or (raffle.draw_at is not None and raffle.draw_at <= now),
        draw_when_sold_out=raffle.draw_when_sold_out,
        draw_in_other_year=formatting.is_in_other_year(
            raffle.draw_at, now=now, time_zone=raffle.time_zone
        ),
    )


def _count_remaining_for_buyer(buyer: WhatsAppContact | None, raffle: Raffle) -> int | None:
    """Return how many numbers a buyer may still take; those of their hold count as free."""
    if buyer is None or raffle.max_per_contact is None:
        return None
    drafts = Order.objects.filter(contact=buyer, raffle=raffle, status=OrderStatus.DRAFT)
    released = sum(drafts.values_list("quantity", flat=True))
    taken = availability.count_tickets_of_contact(raffle.pk, contact_id=buyer.pk)
    return max(0, raffle.max_per_contact - taken + released)


def _build_order_facts(
    orders: Collection[Order], *, raffles: Mapping[int, RaffleFacts]
) -> tuple[OrderFacts, ...]:
    order_ids = [order.pk for order in orders]
    numbers = order_queries.load_ticket_numbers(order_ids)
    with_receipt = _find_orders_with_receipt(order_ids)
    return tuple(
        OrderFacts(
            id=order.pk,
            code=str(order),
            raffle=raffles[order.raffle_id],
            status=OrderStatus(order.status),
            mode=Mode(order.mode),
            numbers=tuple(numbers[order.pk]),
            total=order.total,
            currency=order.currency,
            expires_at=_cap_deadline(order),
            under_review=order.under_review,
            needs_decision=order.needs_decision,
            asked_again=order.asked_again_at is not None,
            has_receipt=order.pk in with_receipt,
            was_placed=order.placed_at is not None,
        )
        for order in orders
    )


def _cap_deadline(order: Order) -> datetime | None:
    """Return an order's deadline, which is never after the draw; None: no clock runs."""
    if order.expires_at is None or order.raffle.draw_at is None:
        return order.expires_at
    return min(order.expires_at, order.raffle.draw_at)


def _find_orders_with_receipt(order_ids: Collection[int]) -> set[int]:
    """Return the ids of the orders with a proof that may be paid money: not lost or turned down."""
    proofs = PaymentProof.objects.filter(
        order_id__in=order_ids, verdict__in=(Verdict.PENDING, Verdict.ACCEPTED)
    ).exclude(status=ProofStatus.FAILED)
    return set(proofs.order_by().values_list("order_id", flat=True).distinct())


def _choose_seller_contact(on_sale: Collection[Raffle], orders: Collection[Order]) -> str:
    raffles = [*on_sale, *(order.raffle for order in reversed(list(orders)))]
    return raffles[0].seller_contact if raffles else ""
