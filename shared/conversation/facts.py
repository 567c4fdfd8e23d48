"""Gathers what the conversation is decided on: what is on sale and what became of the orders."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from shared.conversation.values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import Mode, OrderStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.services import availability, order_queries
from shared.whatsapp.models import WhatsAppContact

MAX_ENDED_ORDERS: Final = 10
"""How many orders that are over are known to the chat, besides all that are live."""

MAX_EXAMPLE_NUMBERS: Final = 5
"""How many free numbers are named where a buyer picks."""


def gather_facts(contact: WhatsAppContact, *, now: datetime, pivot: int) -> Facts:
    """Gather what is so for one buyer, within the caller's transaction.

    Args:
        contact: the buyer, locked.
        now: the time of the decision.
        pivot: a die from 0 to 2^31-1; which free numbers are named as examples.

    """
    orders = _load_orders(contact)
    on_sale = availability.list_raffles_on_sale(contact.phone_number_id, now=now)
    shown_in_detail = _choose_detailed_raffles(contact, on_sale)
    raffles = {
        raffle.pk: _build_raffle_facts(
            raffle,
            now=now,
            buyer=contact,
            examples=_find_example_numbers(raffle, pivot=pivot)
            if raffle.pk in shown_in_detail
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
        seller=_choose_seller_contact(on_sale, orders),
    )


def gather_order_facts(order: Order, *, now: datetime) -> OrderFacts:
    """Gather what a notice about one order needs."""
    raffle = _build_raffle_facts(order.raffle, now=now, buyer=None)
    return _build_order_facts([order], raffles={order.raffle_id: raffle})[0]


def find_seller_contact(contact: WhatsAppContact, *, now: datetime) -> str:
    """Say how a buyer reaches the seller; empty where nothing was ever on sale for them."""
    on_sale = availability.list_raffles_on_sale(contact.phone_number_id, now=now)
    return _choose_seller_contact(on_sale, _load_orders(contact))


def _load_orders(contact: WhatsAppContact) -> list[Order]:
    mine = Order.objects.filter(contact=contact).select_related("raffle")
    live = list(mine.filter(status__in=Order.LIVE).order_by("id"))
    over = mine.exclude(status__in=Order.LIVE).order_by("-id")[:MAX_ENDED_ORDERS]
    return sorted([*live, *over], key=lambda order: order.pk)


def _choose_detailed_raffles(contact: WhatsAppContact, on_sale: Collection[Raffle]) -> set[int]:
    """Name the raffles whose free numbers may be shown: the one chosen, or the only one."""
    chosen = contact.context.get("raffle_id")
    return {raffle.pk for raffle in on_sale if len(on_sale) == 1 or raffle.pk == chosen}


def _find_example_numbers(raffle: Raffle, *, pivot: int) -> tuple[int, ...]:
    return tuple(availability.pick_free_examples(raffle, pivot=pivot, limit=MAX_EXAMPLE_NUMBERS))


def _build_raffle_facts(
    raffle: Raffle,
    *,
    now: datetime,
    buyer: WhatsAppContact | None,
    examples: tuple[int, ...] = (),
) -> RaffleFacts:
    counts = availability.load_recent_counts(raffle.pk, now=now)
    return RaffleFacts(
        id=raffle.pk,
        title=raffle.title,
        prize=raffle.prize,
        description=raffle.description,
        price=raffle.price,
        currency=raffle.currency,
        available=counts.available,
        total=raffle.number_count,
        first=raffle.first_number,
        last=raffle.last_number,
        width=raffle.width,
        minimum=raffle.min_per_order,
        maximum=raffle.max_per_order,
        seller=raffle.seller_contact,
        payment=raffle.payment_instructions,
        time_zone=raffle.time_zone,
        draw_at=raffle.draw_at,
        left_for_buyer=_count_left_for_buyer(buyer, raffle),
        examples=examples,
        why_not=availability.get_not_selling_reason(raffle, now=now),
    )


def _count_left_for_buyer(buyer: WhatsAppContact | None, raffle: Raffle) -> int | None:
    """Count what the buyer may still take; a hold of theirs would be given back, so it counts."""
    if buyer is None or raffle.max_per_contact is None:
        return None
    drafts = Order.objects.filter(contact=buyer, raffle=raffle, status=OrderStatus.DRAFT)
    given_back = sum(drafts.values_list("quantity", flat=True))
    taken = availability.count_tickets_of_contact(raffle.pk, contact_id=buyer.pk)
    return max(0, raffle.max_per_contact - taken + given_back)


def _build_order_facts(
    orders: Collection[Order], *, raffles: Mapping[int, RaffleFacts]
) -> tuple[OrderFacts, ...]:
    numbers = order_queries.load_ticket_numbers([order.pk for order in orders])
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
            expires_at=order.expires_at,
            under_review=order.under_review,
            needs_decision=order.needs_decision,
            asked_again=order.asked_again_at is not None,
        )
        for order in orders
    )


def _choose_seller_contact(on_sale: Collection[Raffle], orders: Collection[Order]) -> str:
    raffles = [*on_sale, *(order.raffle for order in reversed(list(orders)))]
    return raffles[0].seller_contact if raffles else ""
