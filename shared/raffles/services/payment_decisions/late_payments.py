"""Decisions about orders that were paid too late: other ticket numbers, or a refund.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`. They lock and count before they write, so a refusal has written nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from shared.core.enums import LedgerKind, OrderAction, TicketStatus, Verdict
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    DecisionMade,
    NumbersTaken,
    NumbersUnknown,
    QuantityOutOfBounds,
    TooFewLeft,
)
from shared.raffles.models import Order, TicketNumber
from shared.raffles.notes import clean_note
from shared.raffles.results import Settled
from shared.raffles.services import history, ledger_entries, locks, tickets
from shared.raffles.services.payment_decisions import payments, reversals
from shared.raffles.services.payment_proofs import proof_verdicts


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
    """Sell other ticket numbers to the buyer of an order that was paid too late, at its old price.

    A paused or closed raffle allows it, because the order was paid while the raffle sold; not
    after the time of the draw. The limit per buyer does not apply. The old numbers stay in the
    order's history.

    Args:
        order: locked by `locks.lock_order`, in need of a decision.
        numbers: all the ticket numbers it gets, as many as it had; None: those of the old ones
            that are free, and random ones for the rest.
        pivot: random number from 0 to 2**31-1, drawn by the caller with `secrets`.
        by: the author of the decision.
        now: time of the decision.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.
        reason: the reason as text; may be empty.

    Returns:
        The sale, with `late` set.

    Raises:
        NoteTooLong: the reason is too long.
        DecisionMade: there is nothing to decide, or not any more.
        ProofElsewhere: a proof that was seen belongs to another order, or was moved to one.
        ProofUnseen: a pending proof is not among those seen.
        OrderRefunded: the order was paid and refunded before.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: nothing is sold any more.
        QuantityOutOfBounds: not as many ticket numbers as were paid.
        NumbersUnknown: the raffle has no such ticket numbers.
        NumbersTaken: some of the ticket numbers belong to other orders.
        TooFewLeft: fewer ticket numbers are free than needed.

    """
    reason = clean_note(reason)
    refuse_if_decided(order)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    if seen_proofs:
        proof_verdicts.refuse_unviewable_proofs(order)
    reversals.refuse_if_refunded(order)
    sale_rules.refuse_unless_settling(order.raffle, now=now)
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
    """Record the refund of an order that was paid too late; the order stays ended.

    Args:
        order: locked by `locks.lock_order`, in need of a decision.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: time of the decision.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.

    Raises:
        NoteMissing, NoteTooLong: the note is empty or too long.
        DecisionMade: there is nothing to decide, or not any more.
        ProofElsewhere: a proof that was seen belongs to another order, or was moved to one.
        ProofUnseen: a pending proof is not among those seen.

    """
    note = clean_note(note, required=True)
    refuse_if_decided(order)
    proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
    ledger_entries.record_ledger_entry(
        order, kind=LedgerKind.LATE_REFUNDED, confirmation=None, by=by, now=now
    )
    proof_verdicts.set_proof_verdicts(order, verdict=Verdict.DISMISSED, by=by, now=now, note=note)
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
    OrderAction.PROOF_MOVED,
    OrderAction.PROOF_DISMISSED,
    OrderAction.REFUND_NOTED,
)
"""Actions that end the need of a decision."""


def refuse_if_decided(order: Order) -> None:
    """Check that an order needs a decision.

    Raises:
        DecisionMade: it does not; author and time of the decision are in the details if known.

    """
    if order.needs_decision:
        return
    latest = history.find_last_event(order, OrderAction.LATE_PAYMENT, *_DECISION_ACTIONS)
    flagged = history.find_last_event(order, OrderAction.LATE_PAYMENT)
    author = (
        history.get_event_author(latest)
        if latest and flagged
        else history.find_last_author(order, OrderAction.PAID)
    )
    raise DecisionMade(by=author.by, at=author.at)


def _lock_chosen_tickets(order: Order, *, numbers: frozenset[int]) -> list[TicketNumber]:
    """Lock the ticket numbers that were chosen for an order, all of them or none."""
    if len(numbers) != order.quantity:
        raise QuantityOutOfBounds(minimum=order.quantity, maximum=order.quantity)
    locked = locks.lock_tickets(order.raffle_id, numbers=numbers)
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
    """Lock the old ticket numbers that are free, and random ones in place of the others."""
    former = locks.lock_tickets(order.raffle_id, numbers=old)
    kept = [ticket for ticket in former if ticket.status == TicketStatus.AVAILABLE]
    if len(kept) == order.quantity:
        return kept
    # The kept ones are free and may be among those found, so the full quantity is searched for.
    found = tickets.lock_random_tickets(
        order.raffle_id, quantity=order.quantity, at_least=order.quantity, pivot=pivot
    )
    chosen = {ticket.pk: ticket for ticket in (*kept, *found)}
    if len(chosen) < order.quantity:
        raise TooFewLeft(available=len(chosen))
    return list(chosen.values())[: order.quantity]


def _format_ticket_numbers(order: Order, numbers: Collection[int]) -> str:
    return ", ".join(order.raffle.format_ticket_number(number) for number in numbers)
