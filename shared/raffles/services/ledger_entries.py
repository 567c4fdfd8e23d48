"""Ledger entries: money in with each confirmation, money back with each undo or refund.

The functions run inside the caller's transaction, with the order locked.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.core.enums import ActorKind, LedgerKind, OrderAction
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.raffles.actor import Actor
from shared.raffles.models import LedgerEntry, Order, OrderEvent
from shared.raffles.services import history


def record_ledger_entry(
    order: Order,
    *,
    kind: LedgerKind,
    confirmation: OrderEvent | None,
    by: Actor,
    now: datetime,
    reference: str = "",
    amount: Decimal | None = None,
    quantity: int | None = None,
) -> LedgerEntry:
    """Add an entry, usually about the whole amount of an order.

    Args:
        order: the order, locked.
        kind: money in, or the reason why it went back.
        confirmation: the confirmation that brought the money in. With LATE_REFUNDED it is None, or
            the one beside which the money came a second time.
        by: the author.
        now: time of the change.
        reference: e.g. of the bank transfer; may be empty.
        amount: the amount in the order's currency; None: the order's total.
        quantity: how many ticket numbers were paid; None: those of the order.

    Raises:
        IntegrityError: the confirmation has such an entry already.

    """
    entry = LedgerEntry(
        raffle_id=order.raffle_id,
        order=order,
        kind=kind,
        confirmation=confirmation,
        amount=order.total if amount is None else amount,
        currency=order.currency,
        quantity=order.quantity if quantity is None else quantity,
        reference=reference,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_label=by.label,
        at=now,
    )
    _INSERT_ENTRIES.run([entry])
    return entry


_INSERT_ENTRIES: Final = CompiledInsert(LedgerEntry)


def load_confirmation(order: Order) -> OrderEvent:
    """Return the latest confirmation of an order that is paid, or was.

    Raises:
        RuntimeError: its history has no confirmation, which is a bug.

    """
    event = history.find_last_event(order, OrderAction.PAID)
    if event is None:
        raise RuntimeError(f"order {order.pk} is paid and its history does not say so")
    return event


def ensure_confirmation_entry(order: Order, confirmation: OrderEvent) -> None:
    """Add the entry of a confirmation if it is missing.

    Version 0.2 makes none, and may have confirmed the order beside this one during an update.

    Args:
        order: the order, locked.
        confirmation: its latest confirmation.

    """
    if not order.ledger.filter(kind=LedgerKind.CONFIRMED, confirmation=confirmation).exists():
        by = Actor(
            ActorKind(confirmation.actor_kind), confirmation.actor_id, confirmation.actor_label
        )
        record_ledger_entry(
            order,
            kind=LedgerKind.CONFIRMED,
            confirmation=confirmation,
            by=by,
            now=confirmation.at,
        )


def find_reversal(confirmation_id: int) -> LedgerEntry | None:
    """Return the entry by which the money of a confirmation went back, or None."""
    reversals = LedgerEntry.objects.filter(kind__in=[LedgerKind.UNDONE, LedgerKind.REFUNDED])
    return reversals.filter(confirmation_id=confirmation_id).first()


def find_refund(order: Order) -> LedgerEntry | None:
    """Return the refund of a paid order, or None."""
    return order.ledger.filter(kind=LedgerKind.REFUNDED).order_by("-id").first()
