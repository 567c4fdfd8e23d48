"""Decisions about payments: confirmed, or paid too late.

The functions run inside the caller's transaction, with the contact locked first and the order by
`locks.lock_order`.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Final, assert_never

from shared.core.enums import (
    ActorKind,
    LedgerKind,
    OrderAction,
    OrderStatus,
    Verdict,
)
from shared.raffles import sale_rules
from shared.raffles.actor import Actor
from shared.raffles.errors import (
    AmountMismatch,
    ConfirmationUndone,
    DecisionMade,
    DrawTimeReached,
    NothingToReview,
    OrderNotPlaced,
)
from shared.raffles.models import Order
from shared.raffles.notes import clean_note
from shared.raffles.results import AlreadySettled, NeedsDecision, Settled
from shared.raffles.services import history, ledger_entries, orders, tickets
from shared.raffles.services.draws import receipt_chain
from shared.raffles.services.payment_decisions import reversals
from shared.raffles.services.payment_proofs import proof_queries, proof_verdicts

FREE_REASON: Final = "the numbers are free"
"""Reason in the history of an order without anything to pay."""


def confirm_payment(
    order: Order,
    *,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
    reviewed: bool = False,
    money_seen: bool = False,
    received: Decimal | None = None,
    reason: str = "",
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's ticket numbers to its buyer, because the money has arrived.

    A confirmation that is based on proofs needs proofs that a person can look at; without them it
    must say how it is known that the money came.

    A second confirmation changes nothing. An order that had ended takes its ticket numbers back if
    all are free and its raffle may still settle; otherwise it is flagged and nothing is sold. A
    cancelled one takes them back only if a person confirms it. After the time of the draw only a
    person confirms, and only orders whose first proof was sent before it; an order under review
    without such a proof ends and is flagged for its refund.

    Args:
        order: locked by `locks.lock_order`.
        by: the author of the confirmation.
        now: time of the confirmation.
        seen_proofs: ids of the payment proofs that were looked at; None: not checked.
        reviewed: whether this is a verdict on pending proofs, not on money seen elsewhere.
        money_seen: whether a person saw the money on the account, whatever the proofs show; the
            reason says how.
        received: amount that arrived, in the order's currency, to be compared with the total;
            None: not compared.
        reason: the reason as text, e.g. the bank's reference; may be empty.

    Returns:
        The sale, the earlier confirmation, or the need of a decision.

    Raises:
        OrderNotPlaced: the buyer has not confirmed the order yet.
        NothingToReview: `reviewed`, and the proofs were rejected meanwhile.
        OrderEnded: `reviewed`, and the order has ended and needs no decision.
        ProofElsewhere: a proof that was seen belongs to another order, or was moved to one.
        ProofUnseen: a pending proof is not among those seen.
        ProofNotViewable: proofs were seen or are reviewed, and none of them can be looked at.
        NoteMissing: `money_seen`, and the reason is empty.
        AmountMismatch: `received` is not the order's total.
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: it is too late.
        ConfirmationUndone: a person undid the confirmation, and a token repeats it.
        OrderRefunded: the payment was refunded.
        NoteTooLong: the reason is too long.
        DecisionMade: the order had ended, a refund was noted, and no proof has come since.

    """
    reason = clean_note(reason, required=money_seen)
    based_on_proofs = (reviewed or bool(seen_proofs)) and not money_seen
    if order.status != OrderStatus.PAID:
        proof_verdicts.refuse_foreign_proofs(order, seen_proofs=seen_proofs)
        _refuse_if_not_reviewed(order, reviewed=reviewed)
    match OrderStatus(order.status):
        case OrderStatus.PAID:
            return _build_already_settled(order)
        case OrderStatus.DRAFT:
            raise OrderNotPlaced(order_id=order.pk)
        case OrderStatus.PENDING_PAYMENT:
            if _can_only_be_refunded(order, by=by, now=now):
                proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
                _refuse_amount_mismatch(order, received=received)
                orders.end_order(
                    order, to=OrderStatus.EXPIRED, action=OrderAction.EXPIRED, by=by, now=now
                )
                return sell_late_order(order, by=by, now=now, reason=reason)
            refuse_if_too_late(order, by=by, now=now)
            _refuse_if_undone(order, by=by)
            proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
            _refuse_unviewable(order, based_on_proofs=based_on_proofs)
            _refuse_amount_mismatch(order, received=received)
            return sell_order(order, by=by, now=now, late=False, reason=reason)
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            reversals.refuse_if_refunded(order)
            _refuse_if_refund_noted(order)
            if order.status == OrderStatus.EXPIRED:  # a cancelled one waits for a person anyway
                _refuse_if_undone(order, by=by)
            proof_verdicts.refuse_unseen_proofs(order, seen_proofs=seen_proofs)
            _refuse_unviewable(order, based_on_proofs=bool(seen_proofs) and not money_seen)
            _refuse_amount_mismatch(order, received=received)
            return sell_late_order(order, by=by, now=now, reason=reason)
        case unknown:
            assert_never(unknown)


def _refuse_unviewable(order: Order, *, based_on_proofs: bool) -> None:
    if based_on_proofs:
        proof_verdicts.refuse_unviewable_proofs(order)


def _refuse_if_not_reviewed(order: Order, *, reviewed: bool) -> None:
    if reviewed and not order.needs_decision:
        refuse_unless_under_review(order)


def refuse_unless_under_review(order: Order) -> None:
    """Check that a payment proof of an order waits for a decision.

    Raises:
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof is waiting for a decision.

    """
    orders.refuse_if_over(order)
    if not order.under_review:
        rejected = history.find_last_author(order, OrderAction.PROOF_REJECTED)
        raise NothingToReview(order_id=order.pk, by=rejected.by, at=rejected.at)


def _refuse_if_refund_noted(order: Order) -> None:
    """Refuse an order whose refund was noted, unless another proof has come since.

    A refund that was noted while it was paid was that of a second payment.
    """
    latest = history.find_last_event(
        order, OrderAction.REFUND_NOTED, OrderAction.PROOF_RECEIVED, OrderAction.UNCONFIRMED
    )
    if latest is not None and latest.action == OrderAction.REFUND_NOTED:
        refunded = history.get_event_author(latest)
        raise DecisionMade(by=refunded.by, at=refunded.at)


def _refuse_if_undone(order: Order, *, by: Actor) -> None:
    """Refuse a token's confirmation of an order that was undone, until a person has decided."""
    if by.kind is not ActorKind.TOKEN:
        return
    undone = history.find_last_event(order, OrderAction.UNCONFIRMED)
    if undone is None:
        return
    decisions = order.events.filter(pk__gt=undone.pk, actor_kind=ActorKind.STAFF)
    if not decisions.filter(action__in=_PROOF_DECISIONS).exists():
        author = history.get_event_author(undone)
        raise ConfirmationUndone(by=author.by, at=author.at)


_PROOF_DECISIONS: Final = (OrderAction.PROOF_REJECTED, OrderAction.ASKED_AGAIN)
"""Decisions of a person after which a token may confirm the next proof."""


def refuse_if_too_late(order: Order, *, by: Actor, now: datetime) -> None:
    """Check that the payment of an order that holds its ticket numbers may be confirmed.

    After the time of the draw a person may, if the first proof was sent before it.

    Raises:
        RaffleSealed, RaffleDrawn, RaffleCalledOff, DrawTimeReached: it may not.

    """
    refusal = sale_rules.find_settling_refusal(order.raffle, now=now)
    if isinstance(refusal, DrawTimeReached) and by.kind is ActorKind.STAFF:
        first = proof_queries.find_first_proof_time(order)
        refusal = sale_rules.find_review_refusal(order.raffle, first_proof_at=first, now=now)
    if refusal is not None:
        raise refusal


def _can_only_be_refunded(order: Order, *, by: Actor, now: datetime) -> bool:
    """Whether a person confirms an order under review after the draw that was not proven before.

    It cannot expire, because its clock stands still.
    """
    refusal = sale_rules.find_settling_refusal(order.raffle, now=now)
    if not isinstance(refusal, DrawTimeReached) or not order.under_review:
        return False
    first = proof_queries.find_first_proof_time(order)
    unproven = sale_rules.find_review_refusal(order.raffle, first_proof_at=first, now=now)
    return by.kind is ActorKind.STAFF and unproven is not None


def _refuse_amount_mismatch(order: Order, *, received: Decimal | None) -> None:
    if received is not None and received != order.total:
        raise AmountMismatch(expected=order.total, received=received, currency=order.currency)


def _build_already_settled(order: Order) -> AlreadySettled:
    paid = history.find_last_author(order, OrderAction.PAID)
    if paid.by is None or paid.at is None:
        raise RuntimeError(f"order {order.pk} is paid and its history does not say so")
    return AlreadySettled(order, by=paid.by, at=paid.at)


def sell_late_order(
    order: Order, *, by: Actor, now: datetime, reason: str
) -> Settled | NeedsDecision:
    """Sell an ended order's ticket numbers if it can take them back; else flag it for a decision.

    A cancelled order takes them back only if a person decides so.

    Args:
        order: an ended order, locked by `locks.lock_order`.
        by: the author of the confirmation.
        now: time of the confirmation.
        reason: the reason as text; may be empty.

    """
    by_person = by.kind is ActorKind.STAFF
    taken_back = tickets.take_back_tickets(
        order,
        allowed=sale_rules.may_still_settle(order.raffle, now=now)
        and (by_person or order.status == OrderStatus.EXPIRED),
    )
    if taken_back.succeeded:
        history.record_order_event(order, action=OrderAction.NUMBERS_TAKEN_BACK, by=by, now=now)
        return sell_order(order, by=by, now=now, late=True, reason=reason)
    if not order.needs_decision:
        flag_late_payment(order, by=by, now=now, reason=reason)
    return NeedsDecision(order, taken=taken_back.taken, free=taken_back.free)


def flag_late_payment(order: Order, *, by: Actor, now: datetime, reason: str = "") -> Order:
    """Flag an ended order that was paid and cannot take its ticket numbers back, for a decision."""
    return history.record_order_event(
        order,
        action=OrderAction.LATE_PAYMENT,
        by=by,
        now=now,
        reason=reason,
        changes={"needs_decision": True},
    )


def sell_order(
    order: Order,
    *,
    by: Actor,
    now: datetime,
    late: bool,
    reason: str = "",
) -> Settled:
    """Sell the ticket numbers that an order holds; the caller has checked that it may be sold.

    Args:
        order: locked by `locks.lock_order`, its ticket numbers held.
        by: the author of the confirmation.
        now: time of the sale.
        late: whether its ticket numbers had to be taken back or replaced first.
        reason: the reason as text; may be empty.

    """
    tickets.sell_order_tickets(order)
    proof_verdicts.set_proof_verdicts(order, verdict=Verdict.ACCEPTED, by=by, now=now)
    receipt = receipt_chain.append_sale(order, by=by, now=now)
    history.change_order_status(
        order,
        to=OrderStatus.PAID,
        action=OrderAction.PAID,
        by=by,
        now=now,
        reason=reason,
        changes={
            "closed_at": now,
            "expires_at": None,
            "under_review_since": None,
            "asked_again_at": None,
            "needs_decision": False,
            **receipt,
        },
    )
    ledger_entries.record_ledger_entry(
        order,
        kind=LedgerKind.CONFIRMED,
        confirmation=ledger_entries.load_confirmation(order),
        by=by,
        now=now,
    )
    return Settled(order, late=late)
