"""Consistency checks of ticket numbers, ledger, receipt chains and sealed lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from shared.raffles.draws.draw_models import ReceiptChain, SealedList
from shared.raffles.services.draws import receipt_check
from shared.raffles.services.draws.receipt_check import CheckedChain

MAX_PROBLEMS_PER_KIND: Final = 100
"""Problems of one kind that are listed; an inconsistent raffle may have thousands."""


@dataclass(frozen=True, slots=True)
class InventoryProblem:
    """A broken invariant.

    Attributes:
        raffle_id: primary key of the raffle.
        code: name of the invariant.
        description: what is wrong, as text.

    """

    raffle_id: int
    code: str
    description: str


_INVENTORY_CHECKS: Final = {
    # By code the text and the query of its values. Each query is one set-based statement that
    # starts from the index of the rows in question; its first column is the raffle.
    "numbers_do_not_add_up": (
        "{1} numbers exist, {2} of them between the first and the last, and {3} should",
        """
        SELECT r.id, count(t.id),
               count(CASE WHEN t.number >= r.first_number
                           AND t.number < r.first_number + r.number_count THEN 1 END),
               r.number_count
        FROM raffles_raffle r LEFT JOIN raffles_ticketnumber t ON t.raffle_id = r.id
        WHERE (%(raffle)s IS NULL OR r.id = %(raffle)s)
        GROUP BY r.id, r.number_count, r.first_number, r.status
        HAVING count(t.id) <> count(CASE WHEN t.number >= r.first_number
                                AND t.number < r.first_number + r.number_count THEN 1 END)
            OR (r.status <> 'DRAFT' AND count(t.id) <> r.number_count)
        """,
    ),
    "number_without_order": (
        "number {1} is {2} and no order holds it",
        """
        SELECT t.raffle_id, t.number, t.status
        FROM raffles_ticketnumber t
        LEFT JOIN raffles_orderticket l ON l.ticket_id = t.id AND l.released_at IS NULL
        WHERE NOT (t.status = 'AVAILABLE') AND l.id IS NULL
          AND (%(raffle)s IS NULL OR t.raffle_id = %(raffle)s)
        """,
    ),
    "number_and_order_disagree": (
        "number {1} is {2} and order {3}, which holds it, is {4}",
        """
        SELECT o.raffle_id, t.number, t.status, o.id, o.status
        FROM raffles_orderticket l
        JOIN raffles_ticketnumber t ON t.id = l.ticket_id
        JOIN raffles_order o ON o.id = l.order_id
        WHERE l.released_at IS NULL
          AND NOT (t.status = 'RESERVED' AND o.status IN ('DRAFT', 'PENDING_PAYMENT'))
          AND NOT (t.status = 'SOLD' AND o.status = 'PAID')
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "number_of_another_raffle": (
        "order {1} holds number {2} of raffle {3}",
        """
        SELECT o.raffle_id, o.id, t.number, t.raffle_id
        FROM raffles_orderticket l
        JOIN raffles_ticketnumber t ON t.id = l.ticket_id
        JOIN raffles_order o ON o.id = l.order_id
        WHERE l.released_at IS NULL AND t.raffle_id <> o.raffle_id
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "order_without_its_numbers": (
        "order {1} is {2} and holds {3} numbers instead of {4}",
        """
        SELECT o.raffle_id, o.id, o.status, count(l.id), o.quantity
        FROM raffles_order o
        LEFT JOIN raffles_orderticket l ON l.order_id = o.id AND l.released_at IS NULL
        WHERE o.status IN ('DRAFT', 'PENDING_PAYMENT', 'PAID')
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        GROUP BY o.raffle_id, o.id, o.status, o.quantity
        HAVING count(l.id) <> o.quantity
        """,
    ),
    "number_with_two_orders": (
        "number {1} is held {2} times",
        """
        SELECT t.raffle_id, t.number, count(*)
        FROM raffles_orderticket l JOIN raffles_ticketnumber t ON t.id = l.ticket_id
        WHERE l.released_at IS NULL AND (%(raffle)s IS NULL OR t.raffle_id = %(raffle)s)
        GROUP BY t.raffle_id, t.number
        HAVING count(*) > 1
        """,
    ),
    "payment_not_in_ledger": (
        "order {1} is PAID and has {2} ledger entries of its latest confirmation instead of 1",
        """
        SELECT o.raffle_id, o.id, count(c.id)
        FROM raffles_order o
        LEFT JOIN raffles_ledgerentry c ON c.order_id = o.id AND c.kind = 'CONFIRMED'
              AND c.confirmation_id = (SELECT max(e.id) FROM raffles_orderevent e
                                       WHERE e.order_id = o.id AND e.action = 'PAID')
        WHERE o.status = 'PAID' AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        GROUP BY o.raffle_id, o.id
        HAVING count(c.id) <> 1
        """,
    ),
    "payment_taken_back": (
        "order {1} is PAID and the ledger says that its payment was {2}",
        """
        SELECT o.raffle_id, o.id, b.kind
        FROM raffles_ledgerentry b
        JOIN raffles_order o ON o.id = b.order_id
        JOIN raffles_raffle r ON r.id = o.raffle_id
        WHERE o.status = 'PAID'
          AND b.confirmation_id = (SELECT max(e.id) FROM raffles_orderevent e
                                   WHERE e.order_id = o.id AND e.action = 'PAID')
          AND (b.kind = 'UNDONE'
               OR (b.kind = 'REFUNDED' AND r.status NOT IN ('SEALED', 'DRAWN')))
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "confirmation_still_in_force": (
        "order {1} is {2} and the ledger has a confirmation of {3} {4} that nothing took back",
        """
        SELECT o.raffle_id, o.id, o.status, c.amount, c.currency
        FROM raffles_ledgerentry c
        JOIN raffles_order o ON o.id = c.order_id
        LEFT JOIN raffles_ledgerentry b
               ON b.confirmation_id = c.confirmation_id AND b.kind IN ('UNDONE', 'REFUNDED')
        WHERE c.kind = 'CONFIRMED' AND b.id IS NULL
          AND NOT (o.status = 'PAID'
                   AND c.confirmation_id = (SELECT max(e.id) FROM raffles_orderevent e
                                            WHERE e.order_id = o.id AND e.action = 'PAID'))
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "reversal_without_confirmation": (
        "order {1} has a ledger entry {2} without a confirmation that it takes back",
        """
        SELECT b.raffle_id, b.order_id, b.kind
        FROM raffles_ledgerentry b
        LEFT JOIN raffles_ledgerentry c
               ON c.confirmation_id = b.confirmation_id AND c.kind = 'CONFIRMED'
              AND c.order_id = b.order_id
        WHERE b.kind IN ('UNDONE', 'REFUNDED') AND c.id IS NULL
          AND (%(raffle)s IS NULL OR b.raffle_id = %(raffle)s)
        """,
    ),
    "ledger_and_order_disagree": (
        "order {1} costs {2} {3} for {4} numbers and its ledger entry {5} says {6} {7} for {8}",
        """
        SELECT o.raffle_id, o.id, o.total, o.currency, o.quantity,
               l.kind, l.amount, l.currency, l.quantity
        FROM raffles_ledgerentry l JOIN raffles_order o ON o.id = l.order_id
        WHERE (l.currency <> o.currency OR l.raffle_id <> o.raffle_id
               -- the refund of a second payment says what that payment was
               OR (NOT (l.kind = 'LATE_REFUNDED' AND l.confirmation_id IS NOT NULL)
                   AND (l.amount <> o.total OR l.quantity <> o.quantity)))
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "payment_not_in_chain": (
        "order {1} is PAID and has no entry in the receipt chain",
        """
        SELECT o.raffle_id, o.id
        FROM raffles_order o JOIN raffles_receiptchain c ON c.raffle_id = o.raffle_id
        WHERE o.status = 'PAID' AND o.receipt_entry IS NULL AND c.complete
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
    "order_and_receipt_disagree": (
        "order {1} is {2} with receipt {3}, and the chain has another entry or none that counts",
        """
        SELECT o.raffle_id, o.id, o.status, o.receipt_entry
        FROM raffles_order o
        LEFT JOIN raffles_receiptentry e
               ON e.raffle_id = o.raffle_id AND e.number = o.receipt_entry
              AND e.kind = 'SALE' AND e.order_id = o.id
              AND substr(e.head, 1, 8) = o.receipt_head
        LEFT JOIN raffles_receiptentry v
               ON v.raffle_id = o.raffle_id AND v.voided = o.receipt_entry
        WHERE o.receipt_entry IS NOT NULL
          AND (o.status <> 'PAID' OR e.id IS NULL OR v.id IS NOT NULL)
          AND (%(raffle)s IS NULL OR o.raffle_id = %(raffle)s)
        """,
    ),
}


def find_inventory_problems(raffle_id: int | None = None) -> list[InventoryProblem]:
    """Return the broken invariants of one raffle, or of all; an empty list if there are none.

    Every ticket number must exist once. Each held or sold one must have exactly one order whose
    status fits. Each order that holds ticket numbers must hold as many as its quantity. The ledger
    must have the money of each paid order once, of its latest confirmation, and of no other order;
    only after the sealing may a paid order be refunded. A complete receipt chain must lead to its
    head, and its entries that count must be the sold numbers; so must a sealed list. All is read in
    one snapshot, so concurrent sales do not matter. A million entries take some seconds.

    Args:
        raffle_id: the raffle; None: all raffles.

    Returns:
        At most `MAX_PROBLEMS_PER_KIND` problems of each kind.

    """
    problems = []
    with _open_snapshot(), connection.cursor() as cursor:
        for code, (template, statement) in _INVENTORY_CHECKS.items():
            cursor.execute(f"{statement} LIMIT {MAX_PROBLEMS_PER_KIND}", {"raffle": raffle_id})
            problems += [
                _build_problem(code, template=template, row=row) for row in cursor.fetchall()
            ]
        problems += _find_chain_problems(raffle_id)
    return problems


def _find_chain_problems(raffle_id: int | None) -> Iterator[InventoryProblem]:
    """Yield the receipt chains that do not fit, and the sealed lists."""
    chains = ReceiptChain.objects.select_related("raffle").filter(complete=True)
    if raffle_id is not None:
        chains = chains.filter(raffle_id=raffle_id)
    for chain in chains.order_by("raffle_id"):
        checked = receipt_check.check_receipt_chain(chain.raffle, chain)
        sealed = SealedList.objects.filter(raffle_id=chain.raffle_id).first()
        if checked.problem:
            yield InventoryProblem(
                chain.raffle_id, "receipt_chain_broken", f"receipt chain: {checked.problem}"
            )
        elif sealed is not None and not _fits_list(checked, sealed):
            yield InventoryProblem(
                chain.raffle_id, "sealed_list_broken", "the sealed list is not the sold numbers"
            )


def _fits_list(checked: CheckedChain, sealed: SealedList) -> bool:
    written = (bytes(sealed.numbers), sealed.sha256, sealed.chain_length, sealed.chain_head)
    return written == (checked.numbers, checked.sha256, checked.length, checked.head)


def _build_problem(code: str, *, template: str, row: tuple[Any, ...]) -> InventoryProblem:
    return InventoryProblem(raffle_id=row[0], code=code, description=template.format(*row))


@contextmanager
def _open_snapshot() -> Iterator[None]:
    """Open a transaction whose statements all see the same state, without blocking writers."""
    if connection.in_atomic_block:
        yield  # the caller's transaction, which may contain changes to check
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # the settings' BEGIN IMMEDIATE takes the write lock
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
