"""Reversals of a confirmed payment: undone, because it was a mistake, or refunded.

The functions run inside the caller's transaction, with the order locked by `locks.lock_order`. Both
name the confirmation that they answer, so that a request that is repeated never reverses the next
one.
"""

from datetime import datetime

from shared.core.enums import (
    LedgerKind,
    OrderAction,
    OrderStatus,
    RaffleStatus,
    TicketStatus,
    Verdict,
)
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    CashSaleNotUndone,
    ConfirmationReplaced,
    OrderNotPaid,
    OrderRefunded,
)
from shared.raffles.models import LedgerEntry, Order, OrderEvent, PaymentProof
from shared.raffles.notes import MAX_REFERENCE_LENGTH, clean_note
from shared.raffles.results import Reversed
from shared.raffles.services import history, ledger_entries, tickets
from shared.raffles.services.draws import receipt_chain


def undo_confirmation(
    order: Order, *, confirmation_id: int, reason: str, by: Actor, now: datetime
) -> Reversed:
    """Put a paid order under review again, because its confirmation was a mistake.

    Its ticket numbers are held again, and the proofs that were accepted with the confirmation wait
    for a decision again. An order that was confirmed without a proof is under review all the same.

    Args:
        order: locked by `locks.lock_order`.
        confirmation_id: the history entry of the confirmation.
        reason: the reason, for the history.
        by: the author of the decision.
        now: time of the decision.

    Returns:
        The order; `repeated` if this confirmation was undone before.

    Raises:
        NoteMissing, NoteTooLong: the reason is empty or too long.
        CashSaleNotUndone: a sale for cash is refunded instead.
        OrderNotPaid: it is not paid.
        ConfirmationReplaced: another confirmation is the latest; its id is in the details.
        OrderRefunded: the payment was refunded.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: it is too late.

    """
    cleaned = clean_note(reason, required=True)
    done = _find_reversal(order, confirmation_id, kind=LedgerKind.UNDONE)
    if done is not None:
        return Reversed(order, by=done.actor_label or done.actor_kind, at=done.at, repeated=True)
    confirmation = _load_confirmation(order, confirmation_id)
    if order.contact_id is None:
        raise CashSaleNotUndone
    sale_rules.refuse_unless_settling(order.raffle, now=now)
    tickets.unsell_order_tickets(order)
    PaymentProof.objects.filter(
        order=order, verdict=Verdict.ACCEPTED, reviewed_at=confirmation.at
    ).update(verdict=Verdict.PENDING, reviewer="", reviewed_at=None, note="")
    ledger_entries.record_ledger_entry(
        order, kind=LedgerKind.UNDONE, confirmation=confirmation, by=by, now=now
    )
    receipt = receipt_chain.append_void(order, now=now)
    history.change_order_status(
        order,
        to=OrderStatus.PENDING_PAYMENT,
        action=OrderAction.UNCONFIRMED,
        by=by,
        now=now,
        reason=cleaned,
        changes={"closed_at": None, "expires_at": None, "under_review_since": now, **receipt},
    )
    return Reversed(order, by=by.label or by.kind, at=now, repeated=False)


def refund_order(
    order: Order,
    *,
    confirmation_id: int,
    note: str,
    by: Actor,
    now: datetime,
    reference: str = "",
) -> Reversed:
    """Record that the money of a paid order went back; before the sealing the order is cancelled.

    Its ticket numbers are free again then. After the sealing nothing about them changes.

    Args:
        order: locked by `locks.lock_order`.
        confirmation_id: the history entry of the confirmation that brought the money in.
        note: why and how the money goes back, which the buyer reads.
        by: the author of the decision.
        now: time of the decision.
        reference: e.g. of the bank transfer, for the books; may be empty.

    Returns:
        The order; `repeated` if this payment was refunded before.

    Raises:
        NoteMissing, NoteTooLong: the note is empty, or the note or the reference is too long.
        OrderNotPaid: it is not paid.
        ConfirmationReplaced: another confirmation is the latest; its id is in the details.

    """
    cleaned = clean_note(note, required=True)
    done = _find_reversal(order, confirmation_id, kind=LedgerKind.REFUNDED)
    if done is not None:
        return Reversed(order, by=done.actor_label or done.actor_kind, at=done.at, repeated=True)
    confirmation = _load_confirmation(order, confirmation_id)
    ledger_entries.record_ledger_entry(
        order,
        kind=LedgerKind.REFUNDED,
        confirmation=confirmation,
        by=by,
        now=now,
        reference=clean_note(reference, maximum=MAX_REFERENCE_LENGTH),
    )
    if order.raffle.status in {RaffleStatus.SEALED, RaffleStatus.DRAWN}:
        history.record_order_event(
            order, action=OrderAction.REFUNDED, by=by, now=now, reason=cleaned
        )
    else:
        tickets.release_order_tickets(order, now=now, current=TicketStatus.SOLD)
        receipt = receipt_chain.append_void(order, now=now)
        history.change_order_status(
            order,
            to=OrderStatus.CANCELLED,
            action=OrderAction.REFUNDED,
            by=by,
            now=now,
            reason=cleaned,
            changes={"closed_at": now, "needs_decision": False, **receipt},
        )
    return Reversed(order, by=by.label or by.kind, at=now, repeated=False)


def refuse_if_refunded(order: Order) -> None:
    """Check that the payment of an order was not refunded.

    Raises:
        OrderRefunded: it was; author and time are in the details.

    """
    refund = ledger_entries.find_refund(order)
    if refund is not None:
        raise OrderRefunded(by=refund.actor_label or refund.actor_kind, at=refund.at)


def _find_reversal(order: Order, confirmation_id: int, *, kind: LedgerKind) -> LedgerEntry | None:
    """Return the earlier reversal of this kind that answered the same confirmation, or None."""
    done = ledger_entries.find_reversal(confirmation_id)
    return done if done is not None and (done.order_id, done.kind) == (order.pk, kind) else None


def _load_confirmation(order: Order, confirmation_id: int) -> OrderEvent:
    """Return the latest confirmation, if it is the one that is meant and its money is still in."""
    refuse_if_refunded(order)
    if order.status != OrderStatus.PAID:
        raise OrderNotPaid(status=order.status)
    confirmation = ledger_entries.load_confirmation(order)
    if confirmation.pk != confirmation_id:
        raise ConfirmationReplaced(confirmation_id=confirmation.pk)
    ledger_entries.ensure_confirmation_entry(order, confirmation)
    return confirmation
