"""Ends what a late payment left open: other numbers for the buyer, or their money back.

Runs inside the caller's transaction, with the contact locked first and the order by `orders.lock`;
locks and counts before it writes, so that a refusal has written nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from shared.core.enums import OrderAction, TicketStatus, Verdict
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    DecisionMade,
    NumbersTaken,
    NumbersUnknown,
    QuantityOutOfBounds,
    TooFewLeft,
)
from shared.raffles.models import Order, TicketNumber
from shared.raffles.results import Settled
from shared.raffles.services import history, orders, payments, tickets


def replace_numbers(
    order: Order,
    *,
    numbers: Collection[int] | None,
    pivot: int,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reason: str = "",
) -> Settled:
    """Sell other numbers to the buyer of an order that was paid too late, at its frozen price.

    Whether the raffle still sells does not matter, but for the draw: what was paid while it sold
    is honoured in a paused and in a closed raffle too. What one buyer may have does not matter
    either. The old numbers stay in the order's history.

    Args:
        order: locked by `orders.lock`, in need of a decision.
        numbers: all the numbers it gets, as many as it had; None: those of the old ones that are
            free, and random ones for the rest.
        pivot: 0 to 2**31-1, thrown by the caller with `secrets`.
        by: who decides.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.
        reason: why, in words; may be empty.

    Raises:
        DecisionMade: nothing is to be decided, or not any more.
        ProofUnseen: a proof waits that was not looked at.
        RaffleDrawn: nothing is sold after the draw.
        QuantityOutOfBounds: not as many numbers as were paid.
        NumbersUnknown, NumbersTaken, TooFewLeft: they cannot be had, and nothing was written.

    """
    refuse_if_decided(order)
    payments.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    orders.refuse_after_the_draw(order)
    old = order.list_ticket_numbers()
    if numbers is None:
        chosen = _lock_kept_and_random_tickets(order, old=old, pivot=pivot)
    else:
        chosen = _lock_chosen_tickets(order, numbers=frozenset(numbers))
    tickets.hold_tickets(chosen, order=order)
    new = sorted(ticket.number for ticket in chosen)
    history.record_order_event(
        order,
        action=OrderAction.NUMBERS_REPLACED,
        by=by,
        now=now,
        reason=f"{_format_ticket_numbers(order, old)} → {_format_ticket_numbers(order, new)}",
    )
    return payments.sell_order(order, by=by, now=now, late=True, reason=reason)


def note_refund(
    order: Order,
    *,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Note that the money of an order that was paid too late goes back; it stays ended.

    Args:
        order: locked by `orders.lock`, in need of a decision.
        note: how it goes back, in words; may be empty.
        by: who decides.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.

    Raises:
        DecisionMade: nothing is to be decided, or not any more.
        ProofUnseen: a proof waits that was not looked at.

    """
    refuse_if_decided(order)
    payments.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    payments.set_proof_verdicts(order, verdict=Verdict.DISMISSED, by=by, now=now, note=note)
    return history.record_order_event(
        order,
        action=OrderAction.REFUND_NOTED,
        by=by,
        now=now,
        reason=note,
        changes={"needs_decision": False},
    )


_DECISION_ACTIONS: Final = (
    OrderAction.PAID,
    OrderAction.NUMBERS_TAKEN_BACK,
    OrderAction.PROOF_REJECTED,
    OrderAction.REFUND_NOTED,
)


def refuse_if_decided(order: Order) -> None:
    """Go on only with an order that needs a decision.

    Raises:
        DecisionMade: with who decided and when, where known.

    """
    if order.needs_decision:
        return
    latest = history.find_last_event(order, OrderAction.LATE_PAYMENT, *_DECISION_ACTIONS)
    flagged = history.find_last_event(order, OrderAction.LATE_PAYMENT)
    made = (
        history.get_event_author(latest)
        if latest and flagged
        else history.find_last_author(order, OrderAction.PAID)
    )
    raise DecisionMade(by=made.by, at=made.at)


def _lock_chosen_tickets(order: Order, *, numbers: frozenset[int]) -> list[TicketNumber]:
    """Lock the numbers that were chosen for an order, all of them or none."""
    if len(numbers) != order.quantity:
        raise QuantityOutOfBounds(minimum=order.quantity, maximum=order.quantity)
    locked = tickets.lock_tickets(order.raffle_id, numbers=numbers)
    if unknown := numbers - {ticket.number for ticket in locked}:
        raffle = order.raffle
        raise NumbersUnknown(unknown=unknown, first=raffle.first_number, last=raffle.last_number)
    free = {ticket.number for ticket in locked if ticket.status == TicketStatus.AVAILABLE}
    if free != numbers:
        raise NumbersTaken(taken=numbers - free, free=free)
    return locked


def _lock_kept_and_random_tickets(
    order: Order, *, old: Collection[int], pivot: int
) -> list[TicketNumber]:
    """Lock the old numbers that are free and random ones in place of the others."""
    mine = tickets.lock_tickets(order.raffle_id, numbers=old)
    kept = [ticket for ticket in mine if ticket.status == TicketStatus.AVAILABLE]
    if len(kept) == order.quantity:
        return kept
    # The kept ones are free as well and may be among those found: so many more are looked for.
    found = tickets.lock_random_tickets(
        order.raffle_id, quantity=order.quantity, at_least=order.quantity, pivot=pivot
    )
    others = {ticket.pk: ticket for ticket in (*kept, *found)}
    if len(others) < order.quantity:
        raise TooFewLeft(available=len(others))
    return list(others.values())[: order.quantity]


def _format_ticket_numbers(order: Order, numbers: Collection[int]) -> str:
    return ", ".join(order.raffle.format_ticket_number(number) for number in numbers)
