"""Holds numbers for a buyer: random ones or chosen ones, all or none.

Runs inside the caller's transaction, with the contact locked first; locks and counts before it
writes, so that a refusal has written nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import blake2s
from itertools import count

from django.conf import settings
from django.db import connection

from shared.core.constants import COOL_DOWN, EXPIRIES_BEFORE_COOL_DOWN
from shared.core.enums import ActorKind, Mode, OrderAction, OrderStatus, TicketStatus
from shared.raffles import codes
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    ContactLimitReached,
    CoolingDown,
    NumbersTaken,
    NumbersUnknown,
    OrderWantsPayment,
    QuantityOutOfBounds,
    RaffleNotSelling,
    TooFewLeft,
)
from shared.raffles.models import Order, PaymentProof, Raffle, TicketNumber
from shared.raffles.services import availability, draft_orders, history, tickets


def hold_chosen_or_random(
    raffle: Raffle,
    *,
    contact_id: int | None,
    numbers: Collection[int] | None,
    quantity: int,
    pivot: int,
    now: datetime,
    by: Actor,
) -> Order:
    """Hold `numbers`, or `quantity` random ones where that is None, as the next two do."""
    if numbers is None:
        return hold_random(
            raffle, contact_id=contact_id, quantity=quantity, pivot=pivot, now=now, by=by
        )
    return hold_numbers(raffle, contact_id=contact_id, numbers=numbers, now=now, by=by)


def hold_random(
    raffle: Raffle,
    *,
    contact_id: int | None,
    quantity: int,
    pivot: int,
    now: datetime,
    by: Actor,
    replacing: Order | None = None,
) -> Order:
    """Hold random free numbers for a buyer.

    The numbers of the draft it replaces come into question only if nothing else is left.

    Args:
        raffle: what is sold.
        contact_id: the buyer, locked by the caller; None for a sale without one.
        quantity: how many numbers.
        pivot: 0 to 2**31-1, thrown by the caller with `secrets`.
        now: the hold runs out `raffle.hold_minutes` later.
        by: who asks.
        replacing: a draft of the same buyer and raffle whose numbers are given back in the same
            step; an older draft of a buyer is replaced in any case.

    Returns:
        The order, a DRAFT.

    Raises:
        RaffleNotSelling, OrderWantsPayment, QuantityOutOfBounds, CoolingDown,
        ContactLimitReached, TooFewLeft: and nothing was written.

    """
    drafts = _check_terms_and_lock_drafts(
        raffle, contact_id=contact_id, quantity=quantity, replacing=replacing, now=now, by=by
    )
    given_back = tickets.lock_tickets(raffle.pk, numbers=tickets.list_held_ticket_numbers(drafts))
    found = tickets.lock_random_tickets(
        raffle.pk, quantity=quantity, at_least=quantity - len(given_back), pivot=pivot
    )
    chosen = [*found, *given_back][:quantity]
    if len(chosen) < quantity:
        raise TooFewLeft(available=len(chosen))
    return _create_hold(
        raffle,
        contact_id=contact_id,
        mode=Mode.RANDOM,
        chosen=chosen,
        drafts=drafts,
        now=now,
        by=by,
    )


def hold_numbers(
    raffle: Raffle,
    *,
    contact_id: int | None,
    numbers: Collection[int],
    now: datetime,
    by: Actor,
    replacing: Order | None = None,
) -> Order:
    """Hold the numbers a buyer chose, all of them or none.

    Args:
        raffle: what is sold.
        contact_id: the buyer, locked by the caller; None for a sale without one.
        numbers: the numbers wanted; those of the draft it replaces may be among them.
        now: the hold runs out `raffle.hold_minutes` later.
        by: who asks.
        replacing: as for `hold_random`.

    Returns:
        The order, a DRAFT.

    Raises:
        RaffleNotSelling, OrderWantsPayment, QuantityOutOfBounds, NumbersUnknown, CoolingDown,
        ContactLimitReached, NumbersTaken: and nothing was written.

    """
    wanted = frozenset(numbers)
    drafts = _check_terms_and_lock_drafts(
        raffle, contact_id=contact_id, quantity=len(wanted), replacing=replacing, now=now, by=by
    )
    own = frozenset(tickets.list_held_ticket_numbers(drafts))
    locked = {
        ticket.number: ticket for ticket in tickets.lock_tickets(raffle.pk, numbers=wanted | own)
    }
    if unknown := wanted - locked.keys():
        raise NumbersUnknown(unknown=unknown, first=raffle.first_number, last=raffle.last_number)
    free = {n for n in wanted if n in own or locked[n].status == TicketStatus.AVAILABLE}
    if free != wanted:
        raise NumbersTaken(taken=wanted - free, free=free)
    chosen = [locked[number] for number in sorted(wanted)]
    return _create_hold(
        raffle, contact_id=contact_id, mode=Mode.PICK, chosen=chosen, drafts=drafts, now=now, by=by
    )


def _check_terms_and_lock_drafts(
    raffle: Raffle,
    *,
    contact_id: int | None,
    quantity: int,
    replacing: Order | None,
    now: datetime,
    by: Actor,
) -> list[Order]:
    """Check the terms of sale, then lock the drafts that the new hold replaces.

    Only buyers cool down: staff hold numbers for whoever has paid.
    """
    reason = availability.get_not_selling_reason(raffle, now=now)
    if reason is not None:
        raise RaffleNotSelling(reason=reason)
    orders = _load_orders_of_buyer(raffle, contact_id=contact_id, replacing=replacing)
    for order in orders:
        if order.status == OrderStatus.PENDING_PAYMENT and not order.under_review:
            raise OrderWantsPayment(order_id=order.pk, code=order.code)
    if not raffle.min_per_order <= quantity <= raffle.max_per_order:
        raise QuantityOutOfBounds(minimum=raffle.min_per_order, maximum=raffle.max_per_order)
    until = _find_cool_down_end(orders) if by.kind == ActorKind.CHAT else None
    if until is not None and now < until:
        raise CoolingDown(until=until)
    _check_contact_limit(raffle, quantity=quantity, orders=orders)
    drafts = [order.pk for order in orders if order.status == OrderStatus.DRAFT]
    if not drafts:
        return []
    still = Order.objects.filter(pk__in=drafts, status=OrderStatus.DRAFT).order_by("id")
    return list(still.select_for_update(no_key=True))


def _load_orders_of_buyer(
    raffle: Raffle, *, contact_id: int | None, replacing: Order | None
) -> list[Order]:
    """Read what the buyer has and had in this raffle, but for what was cancelled; oldest first."""
    if replacing is not None:
        if (replacing.raffle_id, replacing.contact_id) != (raffle.pk, contact_id):
            raise ValueError("a draft is replaced by its own buyer and in its own raffle only")
        if contact_id is None:
            return list(Order.objects.filter(pk=replacing.pk, status=OrderStatus.DRAFT))
    if contact_id is None:
        return []
    orders = Order.objects.filter(raffle=raffle, contact_id=contact_id)
    return list(orders.exclude(status=OrderStatus.CANCELLED).order_by("id"))


def _find_cool_down_end(orders: Sequence[Order]) -> datetime | None:
    """Tell until when a buyer must wait whose last holds all ran out without a proof.

    Cancelled orders neither count nor interrupt: who cancels gives the numbers back in time.
    """
    ended = [order for order in orders if order.status != OrderStatus.DRAFT]
    latest = ended[-EXPIRIES_BEFORE_COOL_DOWN:]
    ends = [order.closed_at for order in latest if order.status == OrderStatus.EXPIRED]
    if (
        len(ends) < EXPIRIES_BEFORE_COOL_DOWN
        or PaymentProof.objects.filter(order__in=latest).exists()
    ):
        return None
    return max(end for end in ends if end is not None) + COOL_DOWN


def _check_contact_limit(raffle: Raffle, *, quantity: int, orders: Sequence[Order]) -> None:
    if raffle.max_per_contact is None:
        return
    kept = (OrderStatus.PENDING_PAYMENT, OrderStatus.PAID)  # a draft is about to be replaced
    has = sum(order.quantity for order in orders if order.status in kept)
    remaining = max(0, raffle.max_per_contact - has)
    if quantity > remaining:
        raise ContactLimitReached(limit=raffle.max_per_contact, remaining=remaining)


def _create_hold(
    raffle: Raffle,
    *,
    contact_id: int | None,
    mode: Mode,
    chosen: Sequence[TicketNumber],
    drafts: Sequence[Order],
    now: datetime,
    by: Actor,
) -> Order:
    """Write the hold: everything is locked and counted."""
    for draft in drafts:
        tickets.release_order_tickets(draft, now=now)
        history.change_order_status(
            draft,
            to=OrderStatus.CANCELLED,
            action=OrderAction.CANCELLED,
            by=by,
            now=now,
            reason="replaced by another choice",
            changes={"closed_at": now},
        )
    order = Order.objects.create(
        raffle=raffle,
        contact_id=contact_id,
        status=OrderStatus.DRAFT,
        mode=mode,
        quantity=len(chosen),
        unit_price=raffle.price,
        total=raffle.price * len(chosen),
        currency=raffle.currency,
        expires_at=now + timedelta(minutes=raffle.hold_minutes),
        created_at=now,
    )
    code = codes.build_order_code(order.pk, key=_derive_code_key(settings.SECRET_KEY))
    if connection.vendor == "postgresql":
        coded = draft_orders.write_draft_order(order, code=code, tickets=chosen, by=by, now=now)
    else:
        coded = draft_orders.assign_code(order, code=code)
        tickets.hold_tickets(chosen, order=order)
        history.record_hold(order, by=by, now=now)
    if not coded:
        _assign_next_code(order)
    return order


def _assign_next_code(order: Order) -> None:
    """Take the next tweak's code where a former key gave the first one away."""
    for tweak in count(1):
        code = codes.build_order_code(
            order.pk, key=_derive_code_key(settings.SECRET_KEY), tweak=tweak
        )
        if draft_orders.assign_code(order, code=code):
            return


@cache
def _derive_code_key(secret: str) -> bytes:
    return blake2s(secret.encode(), person=b"ordercod").digest()
