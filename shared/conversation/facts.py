"""Gathers what the conversation is decided on: what is on sale and what became of the orders."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from shared.conversation.values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import Mode, OrderStatus
from shared.raffles.models import Order, OrderTicket, Raffle
from shared.raffles.services import availability
from shared.whatsapp.models import WhatsAppContact

ORDERS_REMEMBERED: Final = 10
"""How many orders that are over are known to the chat, besides all that are live."""

EXAMPLES: Final = 5
"""How many free numbers are named where a buyer picks."""


def gather(contact: WhatsAppContact, *, now: datetime, pivot: int) -> Facts:
    """Gather what is so for one buyer, within the caller's transaction.

    Args:
        contact: the buyer, locked.
        now: the time of the decision.
        pivot: a die from 0 to 2^31-1; which free numbers are named as examples.

    """
    orders = _orders_of(contact)
    on_sale = availability.on_sale(contact.phone_number_id, now=now)
    shown_in_detail = _in_detail(contact, on_sale)
    raffles = {
        raffle.pk: _raffle(
            raffle,
            now=now,
            buyer=contact,
            examples=_examples(raffle, pivot=pivot) if raffle.pk in shown_in_detail else (),
        )
        for raffle in on_sale
    }
    for order in orders:
        if order.raffle_id not in raffles:
            raffles[order.raffle_id] = _raffle(order.raffle, now=now, buyer=contact)
    return Facts(
        now=now,
        raffles=tuple(raffles[raffle.pk] for raffle in on_sale),
        orders=_order_facts(orders, raffles=raffles),
        seller=_seller(on_sale, orders),
    )


def of_order(order: Order, *, now: datetime) -> OrderFacts:
    """Gather what a notice about one order needs."""
    raffle = _raffle(order.raffle, now=now, buyer=None)
    return _order_facts([order], raffles={order.raffle_id: raffle})[0]


def seller_of(contact: WhatsAppContact, *, now: datetime) -> str:
    """Say how a buyer reaches the seller; empty where nothing was ever on sale for them."""
    on_sale = availability.on_sale(contact.phone_number_id, now=now)
    return _seller(on_sale, _orders_of(contact))


def _orders_of(contact: WhatsAppContact) -> list[Order]:
    mine = Order.objects.filter(contact=contact).select_related("raffle")
    live = list(mine.filter(status__in=Order.LIVE).order_by("id"))
    over = mine.exclude(status__in=Order.LIVE).order_by("-id")[:ORDERS_REMEMBERED]
    return sorted([*live, *over], key=lambda order: order.pk)


def _in_detail(contact: WhatsAppContact, on_sale: Collection[Raffle]) -> set[int]:
    """Name the raffles whose free numbers may be shown: the one chosen, or the only one."""
    chosen = contact.context.get("raffle_id")
    return {raffle.pk for raffle in on_sale if len(on_sale) == 1 or raffle.pk == chosen}


def _examples(raffle: Raffle, *, pivot: int) -> tuple[int, ...]:
    return tuple(availability.free_examples(raffle, pivot=pivot, limit=EXAMPLES))


def _raffle(
    raffle: Raffle,
    *,
    now: datetime,
    buyer: WhatsAppContact | None,
    examples: tuple[int, ...] = (),
) -> RaffleFacts:
    counts = availability.recent_counts(raffle.pk, now=now)
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
        left_for_buyer=_left_for(buyer, raffle),
        examples=examples,
        why_not=availability.why_not_selling(raffle, now=now),
    )


def _left_for(buyer: WhatsAppContact | None, raffle: Raffle) -> int | None:
    """Count what the buyer may still take; a hold of theirs would be given back, so it counts."""
    if buyer is None or raffle.max_per_contact is None:
        return None
    drafts = Order.objects.filter(contact=buyer, raffle=raffle, status=OrderStatus.DRAFT)
    given_back = sum(drafts.values_list("quantity", flat=True))
    taken = availability.held_or_bought(raffle.pk, contact_id=buyer.pk)
    return max(0, raffle.max_per_contact - taken + given_back)


def _order_facts(
    orders: Collection[Order], *, raffles: Mapping[int, RaffleFacts]
) -> tuple[OrderFacts, ...]:
    numbers = _numbers(orders)
    return tuple(
        OrderFacts(
            id=order.pk,
            code=str(order),
            raffle=raffles[order.raffle_id],
            status=OrderStatus(order.status),
            mode=Mode(order.mode),
            numbers=numbers[order.pk],
            total=order.total,
            currency=order.currency,
            expires_at=order.expires_at,
            under_review=order.under_review,
            needs_decision=order.needs_decision,
            asked_again=order.asked_again_at is not None,
        )
        for order in orders
    )


def _numbers(orders: Iterable[Order]) -> dict[int, tuple[int, ...]]:
    """Read the numbers of all orders at once: those held now, else those released last."""
    links: dict[int, list[tuple[datetime | None, int]]] = defaultdict(list)
    rows = OrderTicket.objects.filter(order__in=[order.pk for order in orders])
    for order_id, released_at, number in rows.values_list(
        "order_id", "released_at", "ticket__number"
    ):
        links[order_id].append((released_at, number))
    return {order.pk: _latest(links[order.pk]) for order in orders}


def _latest(links: list[tuple[datetime | None, int]]) -> tuple[int, ...]:
    held = [number for released_at, number in links if released_at is None]
    if held:
        return tuple(sorted(held))
    last = max((at for at, _ in links if at is not None), default=None)
    return tuple(sorted(number for at, number in links if at == last))


def _seller(on_sale: Collection[Raffle], orders: Collection[Order]) -> str:
    raffles = [*on_sale, *(order.raffle for order in reversed(list(orders)))]
    return raffles[0].seller_contact if raffles else ""
