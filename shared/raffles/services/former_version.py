"""Completion of orders that version 0.2 wrote: ledger entries, and deadlines up to the draw.

The migration `raffles.0006` completes the past. Processes of that version may go on beside those of
the next one during an update, so `use_cases.former_version` completes afterwards what they wrote.
"""

from collections.abc import Iterator
from typing import Final

from django.db import connections, transaction

ORDERS_PER_TRANSACTION: Final = 5_000
"""Orders that are looked at in one transaction, which takes a fraction of a second."""

_DEADLINES: Final = """
    UPDATE raffles_order
    SET expires_at = (SELECT draw_at FROM raffles_raffle r WHERE r.id = raffle_id)
    WHERE status IN ('DRAFT', 'PENDING_PAYMENT') AND id > %(after)s AND id <= %(up_to)s
      AND expires_at > (SELECT draw_at FROM raffles_raffle r WHERE r.id = raffle_id)
"""

_LEDGER_ENTRIES: Final = """
    INSERT INTO raffles_ledgerentry (raffle_id, order_id, kind, confirmation_id, amount, currency,
                                     quantity, reference, actor_kind, actor_id, actor_label, at)
"""

_PAYMENTS_WITHOUT_ENTRY: Final = """
    FROM raffles_order o JOIN raffles_orderevent e ON e.id = (
        SELECT max(later.id) FROM raffles_orderevent later
        WHERE later.order_id = o.id AND later.action = 'PAID'
    )
    WHERE o.status = 'PAID' AND o.id > %(after)s AND o.id <= %(up_to)s
      AND NOT EXISTS (SELECT 1 FROM raffles_ledgerentry l
                      WHERE l.confirmation_id = e.id AND l.kind = 'CONFIRMED')
"""

_CONFIRMATIONS: Final = f"""
    {_LEDGER_ENTRIES}
    SELECT o.raffle_id, o.id, 'CONFIRMED', e.id, o.total, o.currency,
           o.quantity, '', e.actor_kind, e.actor_id, e.actor_label, e.at
    {_PAYMENTS_WITHOUT_ENTRY}
    ON CONFLICT DO NOTHING
"""

_LATE_REFUNDS: Final = f"""
    {_LEDGER_ENTRIES}
    SELECT o.raffle_id, o.id, 'LATE_REFUNDED', NULL, o.total, o.currency,
           o.quantity, '', e.actor_kind, e.actor_id, e.actor_label, e.at
    FROM raffles_orderevent e JOIN raffles_order o ON o.id = e.order_id
    WHERE e.action = 'REFUND_NOTED' AND o.id > %(after)s AND o.id <= %(up_to)s
      AND NOT EXISTS (SELECT 1 FROM raffles_ledgerentry l
                      WHERE l.order_id = o.id AND l.kind = 'LATE_REFUNDED' AND l.at = e.at)
"""  # noqa: S608 - our own words


def complete_orders(using: str = "default") -> int:
    """Complete all orders, in small transactions; a repeat changes nothing.

    Args:
        using: alias of the database.

    Returns:
        The count of changed deadlines and new ledger entries.

    """
    changed = 0
    for after in _iterate_order_ids(using):
        values = {"after": after, "up_to": after + ORDERS_PER_TRANSACTION}
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            for statement in (_DEADLINES, _CONFIRMATIONS, _LATE_REFUNDS):
                cursor.execute(statement, values)
                changed += cursor.rowcount
    return changed


def count_payments_without_entry() -> int:
    """Return how many paid orders have no ledger entry."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_PAYMENTS_WITHOUT_ENTRY}", {"after": 0, "up_to": 2**62})
        return int(cursor.fetchone()[0])


def _iterate_order_ids(using: str) -> Iterator[int]:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM raffles_order")
        last = int(cursor.fetchone()[0])
    yield from range(0, last, ORDERS_PER_TRANSACTION)
