"""Reservations: random or chosen ticket numbers held for a buyer, all of them or none.

The functions run inside the caller's transaction, with the contact locked first, and take the other
locks in the order of `locks`. They lock and count before they write, so a refusal has written
nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.constants import COOL_DOWN, EXPIRIES_BEFORE_COOL_DOWN
from shared.core.enums import ActorKind, Mode, OrderAction, OrderStatus, TicketStatus
from shared.core.statements.bound_statements import run_together
from shared.raffles import order_sources, sale_rules
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    ContactLimitReached,
    CoolingDown,
    NumbersTaken,
    NumbersUnknown,
    OrderWantsPayment,
    QuantityOutOfBounds,
    TooFewLeft,
)
from shared.raffles.models import Order, PaymentProof, Raffle, TicketNumber
from shared.raffles.order_sources import OrderSource
from shared.raffles.results import ChoiceHeld
from shared.raffles.services import draft_orders, history, locks, tickets
from shared.raffles.services.order_locks import bind_orders_lock


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
    """Hold chosen ticket numbers, or random ones if none are chosen.

    Args:
        raffle: the raffle; it is read again under its lock.
        contact_id: the buyer, locked by the caller; None for a sale without a contact.
        numbers: the chosen ticket numbers; None: random ones.
        quantity: how many random ticket numbers; ignored if `numbers` is given.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        now: time of the hold.
        by: the author of the hold.

    Returns:
        The order, a draft.

    Raises:
        RaffleNotSelling, OrderWantsPayment, QuantityOutOfBounds, NumbersUnknown, CoolingDown,
        ContactLimitReached, NumbersTaken, TooFewLeft: as in `hold_numbers` and `hold_random`.

    """
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
    keeping: Collection[int] = (),
    may_wait: bool = True,
    source: OrderSource | None = None,
) -> Order:
    """Hold random free ticket numbers for a buyer.

    The numbers of the draft that it replaces are used only if no others are left.

    Args:
        raffle: the raffle; it is read again under its lock.
        contact_id: the buyer, locked by the caller; None for a sale without a contact.
        quantity: how many ticket numbers.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        now: time of the hold, which expires `raffle.hold_minutes` later, at the draw at the latest.
        by: the author of the hold.
        replacing: a draft of the same buyer and raffle whose ticket numbers are released in the
            same step; needed only without a contact, as a buyer's drafts are always replaced.
        keeping: ticket numbers of the replaced draft that stay; only the rest is random.
        may_wait: whether to wait some milliseconds for ticket numbers that others have locked.
        source: how the buyer came to the chat; None: not known.

    Returns:
        The order, a draft.

    Raises:
        RaffleNotSelling: the raffle sells nothing at the moment.
        OrderWantsPayment: the buyer has an order in this raffle that waits for payment.
        QuantityOutOfBounds: the raffle allows fewer or more ticket numbers per order.
        CoolingDown: the buyer let several holds run out and must wait.
        ContactLimitReached: the buyer would have more ticket numbers than allowed.
        NumbersTaken: the replaced draft does not hold all of `keeping`.
        TooFewLeft: fewer ticket numbers are free.
        TicketsLocked: it would have to wait.
        ValueError: `replacing` is of another buyer or raffle.

    """
    terms = _lock_and_check_terms(
        raffle.pk, contact_id=contact_id, quantity=quantity, replacing=replacing, now=now, by=by
    )
    own = tickets.list_held_ticket_numbers(terms.drafts)
    if lost := set(keeping) - set(own):
        raise NumbersTaken(taken=lost, free=set(keeping) - lost)
    given_back = locks.lock_tickets(terms.raffle.pk, numbers=own)
    kept = [ticket for ticket in given_back if ticket.number in keeping]
    others = [ticket for ticket in given_back if ticket.number not in keeping]
    found = tickets.lock_random_tickets(
        terms.raffle.pk,
        quantity=quantity - len(kept),
        at_least=quantity - len(given_back),
        pivot=pivot,
        may_wait=may_wait,
    )
    chosen = [*kept, *found, *others][:quantity]
    if len(chosen) < quantity:
        raise TooFewLeft(available=len(chosen))
    mode = Mode(terms.drafts[-1].mode) if keeping else Mode.RANDOM
    return _create_hold(
        terms,
        contact_id=contact_id,
        mode=mode,
        chosen=chosen,
        now=now,
        by=by,
        source=source,
    )


def hold_numbers(
    raffle: Raffle,
    *,
    contact_id: int | None,
    numbers: Collection[int],
    now: datetime,
    by: Actor,
    replacing: Order | None = None,
    source: OrderSource | None = None,
) -> Order:
    """Hold the ticket numbers that a buyer chose, all of them or none.

    Args:
        raffle: the raffle; it is read again under its lock.
        contact_id: the buyer, locked by the caller; None for a sale without a contact.
        numbers: the chosen ticket numbers; those of the draft that it replaces may be among them.
        now: time of the hold, which expires `raffle.hold_minutes` later, at the draw at the latest.
        by: the author of the hold.
        replacing: as in `hold_random`.
        source: as in `hold_random`.

    Returns:
        The order, a draft.

    Raises:
        RaffleNotSelling, OrderWantsPayment, QuantityOutOfBounds, CoolingDown,
        ContactLimitReached, ValueError: as in `hold_random`.
        NumbersUnknown: the raffle has no such ticket numbers.
        NumbersTaken: some of the ticket numbers belong to other orders.

    """
    held = hold_first_free(
        raffle,
        contact_id=contact_id,
        choices=[numbers],
        now=now,
        by=by,
        replacing=replacing,
        source=source,
    )
    return held.order


def hold_first_free(
    raffle: Raffle,
    *,
    contact_id: int | None,
    choices: Sequence[Collection[int]],
    now: datetime,
    by: Actor,
    replacing: Order | None = None,
    source: OrderSource | None = None,
) -> ChoiceHeld:
    """Hold the ticket numbers of the first choice that is free, all of them or none.

    The ticket numbers of all choices are locked together, so which choice is held does not change
    while it is decided.

    Args:
        raffle: as in `hold_numbers`, like the other arguments.
        contact_id: the buyer.
        choices: the choices of ticket numbers, the best one first.
        now: time of the hold.
        by: the author of the hold.
        replacing: a draft of the same buyer and raffle.
        source: as in `hold_random`.

    Returns:
        The order, a draft, and which ticket numbers of the better choices were taken.

    Raises:
        RaffleNotSelling, OrderWantsPayment, QuantityOutOfBounds, CoolingDown,
        ContactLimitReached, ValueError: as in `hold_random`, for the first choice or the held one.
        NumbersUnknown: the raffle has no such ticket numbers.
        NumbersTaken: some ticket numbers of every choice belong to other orders.

    """
    wanted = [frozenset(choice) for choice in choices]
    terms = _lock_and_check_terms(
        raffle.pk,
        contact_id=contact_id,
        quantity=len(wanted[0]),
        replacing=replacing,
        now=now,
        by=by,
    )
    raffle = terms.raffle
    together = frozenset[int]().union(*wanted)
    own = frozenset(tickets.list_held_ticket_numbers(terms.drafts))
    locked = {
        ticket.number: ticket for ticket in locks.lock_tickets(raffle.pk, numbers=together | own)
    }
    if unknown := together - locked.keys():
        raise NumbersUnknown(unknown=unknown, first=raffle.first_number, last=raffle.last_number)
    free = {n for n in together if n in own or locked[n].status == TicketStatus.AVAILABLE}
    place = next((place for place, choice in enumerate(wanted) if choice <= free), None)
    if place is None:
        raise NumbersTaken(taken=together - free, free=free)
    if place:
        _check_quantity(raffle, quantity=len(wanted[place]), orders=terms.orders)
    order = _create_hold(
        terms,
        contact_id=contact_id,
        mode=Mode.PICK,
        chosen=[locked[number] for number in sorted(wanted[place])],
        now=now,
        by=by,
        source=source,
    )
    taken = frozenset[int]().union(*wanted[:place]) - free
    return ChoiceHeld(order, tuple(sorted(taken)))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a hold is made of.

    Attributes:
        raffle: the raffle as it is now, under its lock.
        orders: the buyer's locked orders in the raffle, without the cancelled ones.
        order_id: the id of the new order.

    """

    raffle: Raffle
    orders: Sequence[Order]
    order_id: int

    @property
    def drafts(self) -> list[Order]:
        """The drafts that the hold replaces."""
        return [order for order in self.orders if order.status == OrderStatus.DRAFT]


def _lock_and_check_terms(
    raffle_id: int,
    *,
    contact_id: int | None,
    quantity: int,
    replacing: Order | None,
    now: datetime,
    by: Actor,
) -> _Terms:
    """Lock the buyer's orders, then the raffle (shared); check the terms of sale.

    Only buyers must wait after expired holds: staff hold ticket numbers for people who have paid.
    """
    orders, order_id, *_, raffle = run_together(
        bind_orders_lock(raffle_id, contact_id=contact_id, replacing=replacing),
        draft_orders.bind_next_order_id(),
        *locks.bind_raffle_lock(raffle_id),
    )
    sale_rules.refuse_unless_selling(raffle, now=now)
    for order in orders:
        if order.status == OrderStatus.PENDING_PAYMENT and not order.under_review:
            raise OrderWantsPayment(order_id=order.pk, code=order.code)
    _check_bounds(raffle, quantity=quantity)
    until = _find_cool_down_end(orders) if by.kind == ActorKind.CHAT else None
    if until is not None and now < until:
        raise CoolingDown(until=until)
    _check_contact_limit(raffle, quantity=quantity, orders=orders)
    return _Terms(raffle, orders, order_id)


def _check_quantity(raffle: Raffle, *, quantity: int, orders: Sequence[Order]) -> None:
    _check_bounds(raffle, quantity=quantity)
    _check_contact_limit(raffle, quantity=quantity, orders=orders)


def _check_bounds(raffle: Raffle, *, quantity: int) -> None:
    if not raffle.min_per_order <= quantity <= raffle.max_per_order:
        raise QuantityOutOfBounds(minimum=raffle.min_per_order, maximum=raffle.max_per_order)


def _find_cool_down_end(orders: Sequence[Order]) -> datetime | None:
    """Return until when a buyer must wait, or None unless the last holds all ran out unpaid.

    A payment proof for one of them breaks the series. Cancelled orders do not count either way:
    their ticket numbers were released in time.
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
    terms: _Terms,
    *,
    contact_id: int | None,
    mode: Mode,
    chosen: Sequence[TicketNumber],
    now: datetime,
    by: Actor,
    source: OrderSource | None,
) -> Order:
    """Cancel the drafts and create the order; everything is locked and counted before."""
    for draft in terms.drafts:
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
    raffle = terms.raffle
    order = Order(
        id=terms.order_id,
        raffle=raffle,
        contact_id=contact_id,
        status=OrderStatus.DRAFT,
        mode=mode,
        quantity=len(chosen),
        unit_price=raffle.price,
        total=raffle.price * len(chosen),
        currency=raffle.currency,
        expires_at=sale_rules.cap_deadline(raffle, now + timedelta(minutes=raffle.hold_minutes)),
        created_at=now,
        **order_sources.build_source_columns(source),
    )
    draft_orders.write_draft_order(order, chosen=chosen, by=by, now=now)
    return order
