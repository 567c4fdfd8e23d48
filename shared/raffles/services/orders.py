"""Takes an order from the hold to its end: placed, paid, cancelled, expired, or paid too late.

Runs inside the caller's transaction, with the contact locked first and the order by `lock`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.core.constants import DEADLINE_GRACE
from shared.core.enums import (
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    RejectReason,
    Verdict,
    label,
)
from shared.core.errors import DomainError
from shared.raffles import codes
from shared.raffles.actor import SWEEPER, Actor
from shared.raffles.models import Order, OrderEvent, PaymentProof
from shared.raffles.predicates import ON_THE_CLOCK
from shared.raffles.services import history, tickets


class OrderNotFound(DomainError):
    """There is no such order."""

    code = "order_not_found"


class OrderNotDraft(DomainError):
    """Only a hold that was not confirmed yet can be placed."""

    code = "order_not_draft"

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class OrderExpired(DomainError):
    """The time for this order has run out."""

    code = "order_expired"


class OrderNotPlaced(DomainError):
    """The buyer has not confirmed this order yet, so it cannot be paid."""

    code = "order_not_placed"


class OrderAlreadyPaid(DomainError):
    """The order is paid; its numbers belong to the buyer."""

    code = "order_already_paid"


class OrderEnded(DomainError):
    """The order was cancelled or has expired."""

    code = "order_ended"

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)


class RaffleDrawn(DomainError):
    """The raffle is drawn; nothing about its numbers changes any more."""

    code = "raffle_drawn"


class NothingToReview(DomainError):
    """The order has no payment proof that waits for a decision."""

    code = "nothing_to_review"


class ProofUnseen(DomainError):
    """Another payment proof has arrived that was not looked at yet."""

    code = "proof_unseen"

    def __init__(self, *, proof_ids: Collection[int]) -> None:
        super().__init__(proof_ids=sorted(proof_ids))


@dataclass(frozen=True, slots=True)
class Settled:
    """The numbers are sold; `late` if they had to be taken back first."""

    order: Order
    late: bool


@dataclass(frozen=True, slots=True)
class AlreadySettled:
    """It was confirmed before: by whom and when. Nothing changed."""

    order: Order
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NeedsDecision:
    """It was paid too late and nothing is sold: a person must decide. To be committed."""

    order: Order
    taken: tuple[int, ...]
    free: tuple[int, ...]


def find(reference: str) -> int:
    """Give the id of the order that somebody calls by its id or its code, in any spelling.

    Raises:
        OrderNotFound: if there is none.

    """
    text = reference.strip().removeprefix("#")
    if text.isascii() and text.isdigit():
        found = Order.objects.filter(pk=int(text[:20]))  # beyond any id
    else:
        found = Order.objects.filter(code=codes.normalised(text) or "")
    order_id = found.values_list("pk", flat=True).first()
    if order_id is None:
        raise OrderNotFound(reference=reference)
    return order_id


def contact_of(order_id: int) -> int | None:
    """Give the buyer of an order, who must be locked before it; None for a sale without one.

    Raises:
        OrderNotFound: if there is no such order.

    """
    try:
        return Order.objects.values_list("contact_id", flat=True).get(pk=order_id)
    except Order.DoesNotExist:
        raise OrderNotFound(order_id=order_id) from None


def lock(order_id: int) -> Order:
    """Lock an order and read its raffle along; its contact is to be locked before.

    Raises:
        OrderNotFound: if there is no such order.

    """
    locking = Order.objects.select_for_update(no_key=True, of=("self",))
    try:
        return locking.select_related("raffle").get(pk=order_id)
    except Order.DoesNotExist:
        raise OrderNotFound(order_id=order_id) from None


def place(order: Order, *, at: datetime, now: datetime, by: Actor) -> Order:
    """Make a hold an order that waits for its payment; the clock starts anew, once.

    Args:
        order: locked by `lock`.
        at: when the buyer confirmed, by their message's own time; the deadline is judged by it.
        now: the time to pay runs from here.
        by: who confirms.

    Raises:
        OrderExpired: confirmed after the deadline and its grace, or expired meanwhile.
        OrderNotDraft: it was placed, paid or cancelled before.
        RaffleDrawn: too late altogether.

    """
    if order.status == OrderStatus.EXPIRED:
        raise OrderExpired(order_id=order.pk)
    if order.status != OrderStatus.DRAFT:
        raise OrderNotDraft(status=order.status)
    if order.expires_at is not None and at > order.expires_at + DEADLINE_GRACE:
        raise OrderExpired(order_id=order.pk)
    _refuse_after_the_draw(order)
    return history.move(
        order,
        to=OrderStatus.PENDING_PAYMENT,
        action=OrderAction.PLACED,
        by=by,
        now=now,
        changes={"placed_at": now, "expires_at": _clock(order, now=now)},
    )


def cancel(order: Order, *, by: Actor, now: datetime, reason: str = "") -> Order:
    """End an order that is not paid and give its numbers back.

    Raises:
        OrderAlreadyPaid: nothing paid is cancelled.
        OrderEnded: it was cancelled or has expired before.

    """
    _refuse_if_over(order)
    return _end(
        order,
        to=OrderStatus.CANCELLED,
        action=OrderAction.CANCELLED,
        by=by,
        now=now,
        reason=reason,
    )


def expire(order: Order, *, now: datetime) -> bool:
    """End an order whose time has run out, grace included, and give its numbers back.

    Returns:
        False if it is not due, or not any more: paid, ended, or a proof stopped the clock.

    """
    running = order.status in Order.LIVE and not order.under_review
    if not running or order.expires_at is None or now <= order.expires_at + DEADLINE_GRACE:
        return False
    _end(order, to=OrderStatus.EXPIRED, action=OrderAction.EXPIRED, by=SWEEPER, now=now)
    return True


def due_to_expire(*, now: datetime, limit: int) -> list[tuple[int, int | None]]:
    """List orders whose time has run out, grace included, longest ago first.

    Returns:
        Pairs of order id and contact id, so that the contact can be locked first.

    """
    due = Order.objects.filter(ON_THE_CLOCK, expires_at__lt=now - DEADLINE_GRACE)
    return list(due.order_by("expires_at").values_list("id", "contact_id")[:limit])


def confirm(
    order: Order, *, by: Actor, now: datetime, seen_proofs: Collection[int] | None = None
) -> Settled | AlreadySettled | NeedsDecision:
    """Sell an order's numbers to its buyer: the money is there.

    A second confirmation changes nothing. An order that had ended takes its numbers back if all
    are free and the raffle is not drawn; otherwise it is flagged and nothing is sold.

    Args:
        order: locked by `lock`.
        by: who saw the money.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.

    Raises:
        OrderNotPlaced: the buyer has not confirmed it yet.
        ProofUnseen: a proof waits that was not looked at.
        RaffleDrawn: nothing is sold after the draw.

    """
    match OrderStatus(order.status):
        case OrderStatus.PAID:
            return _settled_before(order)
        case OrderStatus.DRAFT:
            raise OrderNotPlaced(order_id=order.pk)
        case OrderStatus.PENDING_PAYMENT:
            _refuse_after_the_draw(order)
            _refuse_unseen(order, seen_proofs=seen_proofs)
            return _sell(order, by=by, now=now, late=False)
        case OrderStatus.CANCELLED | OrderStatus.EXPIRED:
            _refuse_unseen(order, seen_proofs=seen_proofs)
            return _confirm_late(order, by=by, now=now)


def reject(
    order: Order,
    *,
    reason: RejectReason,
    note: str,
    by: Actor,
    now: datetime,
    seen_proofs: Collection[int] | None = None,
) -> Order:
    """Turn an order's payment proofs down; the time to pay starts anew.

    Of an ended order that needs a decision, the decision is then made: it stays ended.

    Args:
        order: locked by `lock`.
        reason: what is wrong with the proof.
        note: more about it, in words; may be empty.
        by: who looked at it.
        now: when.
        seen_proofs: the payment proofs that were looked at; None: whatever there is.

    Raises:
        OrderAlreadyPaid, OrderEnded: there is nothing left to decide.
        NothingToReview: no proof waits for a decision.
        ProofUnseen: a proof waits that was not looked at.

    """
    if not order.needs_decision:
        _refuse_if_over(order)
        if not order.under_review:
            raise NothingToReview(order_id=order.pk)
    _refuse_unseen(order, seen_proofs=seen_proofs)
    _judge(order, verdict=Verdict.REJECTED, by=by, now=now, reason=reason)
    changes: dict[str, Any] = {"under_review_since": None, "needs_decision": False}
    if order.status == OrderStatus.PENDING_PAYMENT:
        changes |= {"expires_at": _clock(order, now=now)}
    return history.note(
        order,
        action=OrderAction.PROOF_REJECTED,
        by=by,
        now=now,
        reason=": ".join(filter(None, [label(reason), note])),
        changes=changes,
    )


def last_event(order: Order, action: OrderAction) -> OrderEvent | None:
    """Give the latest event of that kind in an order's history, if there is one."""
    return history.last(order, action=action)


def _clock(order: Order, *, now: datetime) -> datetime:
    return now + timedelta(minutes=order.raffle.hold_minutes)


def _refuse_if_over(order: Order) -> None:
    if order.status == OrderStatus.PAID:
        raise OrderAlreadyPaid(order_id=order.pk)
    if order.status not in Order.LIVE:
        raise OrderEnded(status=order.status)


def _refuse_after_the_draw(order: Order) -> None:
    if order.raffle.status == RaffleStatus.DRAWN:
        raise RaffleDrawn(raffle_id=order.raffle_id)


def _refuse_unseen(order: Order, *, seen_proofs: Collection[int] | None) -> None:
    if seen_proofs is None:
        return
    waiting = order.proofs.filter(verdict=Verdict.PENDING).exclude(status=ProofStatus.FAILED)
    unseen = set(waiting.values_list("pk", flat=True)) - set(seen_proofs)
    if unseen:
        raise ProofUnseen(proof_ids=unseen)


def _end(
    order: Order,
    *,
    to: OrderStatus,
    action: OrderAction,
    by: Actor,
    now: datetime,
    reason: str = "",
) -> Order:
    tickets.release_all(order, now=now)
    return history.move(
        order,
        to=to,
        action=action,
        by=by,
        now=now,
        reason=reason,
        changes={"closed_at": now, "under_review_since": None},
    )


def _settled_before(order: Order) -> AlreadySettled:
    paid = history.last(order, action=OrderAction.PAID)
    if paid is None:
        raise RuntimeError(f"order {order.pk} is paid and its history does not say so")
    return AlreadySettled(order, by=paid.actor_label or paid.actor_kind, at=paid.at)


def _confirm_late(order: Order, *, by: Actor, now: datetime) -> Settled | NeedsDecision:
    taken_back = tickets.take_back(order)
    if taken_back.done:
        history.note(order, action=OrderAction.NUMBERS_TAKEN_BACK, by=by, now=now)
        return _sell(order, by=by, now=now, late=True)
    if not order.needs_decision:
        flag_late_payment(order, by=by, now=now)
    return NeedsDecision(order, taken=taken_back.taken, free=taken_back.free)


def flag_late_payment(order: Order, *, by: Actor, now: datetime) -> Order:
    """Note that an ended order was paid and cannot have its numbers: a person must decide."""
    return history.note(
        order,
        action=OrderAction.LATE_PAYMENT,
        by=by,
        now=now,
        changes={"needs_decision": True},
    )


def _sell(order: Order, *, by: Actor, now: datetime, late: bool) -> Settled:
    tickets.sell_all(order)
    _judge(order, verdict=Verdict.ACCEPTED, by=by, now=now)
    history.move(
        order,
        to=OrderStatus.PAID,
        action=OrderAction.PAID,
        by=by,
        now=now,
        changes={
            "closed_at": now,
            "expires_at": None,
            "under_review_since": None,
            "needs_decision": False,
        },
    )
    return Settled(order, late=late)


def _judge(
    order: Order, *, verdict: Verdict, by: Actor, now: datetime, reason: RejectReason | None = None
) -> None:
    waiting = PaymentProof.objects.filter(order=order, verdict=Verdict.PENDING)
    if verdict is Verdict.ACCEPTED:
        waiting = waiting.exclude(status=ProofStatus.FAILED)
    waiting.update(
        verdict=verdict,
        reject_reason=reason or "",
        reviewer=by.label or by.kind,
        reviewed_at=now,
    )
