"""The receipt chain of a raffle: a hash chain over its sales, whose heads buyers hold.

An entry is written in the transaction of the payment, under the last lock of `locks`: its holder
waits for nothing more, so the entries of one raffle queue behind each other without a deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    CharField,
    Exists,
    OuterRef,
    PositiveIntegerField,
    Q,
    QuerySet,
)

from shared.core.enums import OrderStatus, RaffleStatus, ReceiptKind
from shared.core.statements import row_count
from shared.core.statements.bound_statements import run_together
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, Parameter
from shared.raffles import receipt_lines, sale_rules
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_models import DrawRules, ReceiptChain, ReceiptEntry
from shared.raffles.models import Order, OrderTicket, Raffle
from shared.raffles.predicates import PAID_WITHOUT_ENTRY
from shared.raffles.services import locks
from shared.raffles.services.draws import draw_rules

ORDERS_PER_TRANSACTION: Final = 200
"""Orders from before the chain that one transaction enters: a fraction of a second."""

NO_ENTRY: Final[Mapping[str, Any]] = {"receipt_entry": None, "receipt_head": None}
"""Fields of an order without an entry that counts."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of a chain, read under its lock.

    Attributes:
        length: number of the last entry.
        head: hash after it, in hex.
        complete: whether all orders that were paid before the chain began are in it.

    """

    length: int
    head: str
    complete: bool


def append_sale(order: Order, *, by: Actor, now: datetime) -> Mapping[str, Any]:
    """Enter the sale of an order into the receipt chain; nothing waits after this.

    The first sale of a raffle freezes its rules. If numbers were sold before the raffle had rules,
    nothing is entered until a person has chosen them; see `complete_chain`.

    Args:
        order: about to be paid, locked by `locks.lock_order`; its ticket numbers are its own.
        by: the author of the sale.
        now: time of the sale.

    Returns:
        The fields of the order that change with it, by field name; the caller writes them.

    """
    numbers, last = _lock_chain_for_sale(order)
    if last is None:
        if draw_rules.has_sold_numbers(order.raffle_id):
            return {}
        draw_rules.freeze_rules(order.raffle, by=by, now=now)
        last = _start_chain(order.raffle_id, complete=True)
    if not last.complete:
        return {}
    entry = _build_sale(order, numbers, raffle=order.raffle, last=last, now=now)
    _append(last, [entry])
    return _build_receipt(entry)


def append_void(order: Order, *, now: datetime) -> Mapping[str, Any]:
    """Make the entry of an order void, because its payment is undone or refunded.

    After the sealing no entry is made: the list stays as it is.

    Args:
        order: locked by `locks.lock_order`.
        now: time of the change.

    Returns:
        As for `append_sale`.

    """
    if order.receipt_entry is None or sale_rules.find_sealing_refusal(order.raffle) is not None:
        return {}
    last = _lock_chain(order.raffle_id)
    if last is None:
        raise RuntimeError(f"order {order.pk} has a receipt entry and its raffle has no chain")
    number = last.length + 1
    line = receipt_lines.build_void_line(number, voided=order.receipt_entry)
    entry = ReceiptEntry(
        raffle_id=order.raffle_id,
        number=number,
        kind=ReceiptKind.VOID,
        order=order,
        voided=order.receipt_entry,
        head=receipt_lines.compute_head(last.head, line),
        at=now,
    )
    _append(last, [entry])
    return NO_ENTRY


def complete_chain(raffle_id: int, *, now: datetime) -> int:
    """Enter the orders that were paid before the chain existed, ordered by payment, then by id.

    Many short transactions; it may be called again after an interruption, and at the same time by
    another process. Orders that are paid meanwhile are entered by it as well, since their payments
    are the latest.

    Returns:
        How many orders were entered.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesMissing: nobody has said yet how it is drawn.
        RaffleSealed, RaffleDrawn: its list is final.

    """
    draw_rules.load_frozen_rules(raffle_id)
    entered = 0
    while query_orders_without_entry(raffle_id).exists() or not _is_complete(raffle_id):
        entered += enter_orders(raffle_id, now=now)
    return entered


def enter_orders(raffle_id: int, *, now: datetime, limit: int = ORDERS_PER_TRANSACTION) -> int:
    """Enter some orders as `complete_chain` does, in one transaction; return how many."""
    waiting = query_orders_without_entry(raffle_id).order_by("closed_at", "id")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    with transaction.atomic(durable=True):
        return _enter_orders(raffle_id, ids, now=now)


def _is_complete(raffle_id: int) -> bool:
    return ReceiptChain.objects.filter(raffle_id=raffle_id, complete=True).exists()


def _enter_orders(raffle_id: int, order_ids: Sequence[int], *, now: datetime) -> int:
    """Enter those of the orders that are still paid and without an entry."""
    orders = {order.pk: order for order in locks.lock_orders_with_contacts(order_ids)}
    raffle = locks.lock_raffle_shared(raffle_id)
    sale_rules.refuse_after_sealing(raffle)
    first = last = _lock_chain(raffle_id) or _start_chain(raffle_id, complete=False)
    numbers = _load_ticket_numbers(order_ids)
    entries = []
    for order_id in order_ids:
        order = orders[order_id]
        if order.status == OrderStatus.PAID and order.receipt_entry is None:
            entry = _build_sale(order, numbers[order_id], raffle=raffle, last=last, now=now)
            entries.append(entry)
            last = _Head(entry.number, entry.head, complete=first.complete)
    _append(first, entries)
    _SET_RECEIPT.run_many([{"order": entry.order_id, **_build_receipt(entry)} for entry in entries])
    if not first.complete and not query_orders_without_entry(raffle_id).exists():
        ReceiptChain.objects.filter(raffle_id=raffle_id).update(complete=True)
    return len(entries)


def query_orders_without_entry(raffle_id: int) -> QuerySet[Order]:
    """Return the paid orders of a raffle that are not in its receipt chain."""
    return Order.objects.filter(PAID_WITHOUT_ENTRY, raffle_id=raffle_id).order_by()


def list_incomplete_chains() -> list[int]:
    """Return the ids of raffles that have rules and paid orders outside their receipt chain.

    Those orders were paid before the raffle had rules, or by a former release during an update.
    """
    frozen = DrawRules.objects.filter(raffle=OuterRef("pk"), frozen_at__isnull=False)
    outside = Order.objects.filter(PAID_WITHOUT_ENTRY, raffle=OuterRef("pk")).order_by()
    open_ones = Raffle.objects.filter(
        status__in=[RaffleStatus.OPEN, RaffleStatus.PAUSED, RaffleStatus.CLOSED]
    )
    found = open_ones.filter(Exists(frozen), Exists(outside)).order_by("pk")
    return list(found.values_list("pk", flat=True))


def complete_chains(*, now: datetime) -> int:
    """Complete the chains of `list_incomplete_chains`; return how many orders were entered."""
    return sum(complete_chain(raffle_id, now=now) for raffle_id in list_incomplete_chains())


def build_lines(raffle_id: int) -> Iterator[str]:
    """Yield the lines of a raffle's receipt chain in their order."""
    entries = ReceiptEntry.objects.filter(raffle_id=raffle_id).order_by("number")
    rows = entries.values_list("number", "ticket_numbers", "voided")
    for number, tickets, voided in rows.iterator(chunk_size=5_000):
        if voided is not None:
            yield receipt_lines.build_void_line(number, voided=voided)
        else:
            yield receipt_lines.build_sale_line(number, tickets.split(","))


def _lock_chain_for_sale(order: Order) -> tuple[list[int], _Head | None]:
    """Lock the chain of an order's raffle; return the order's ticket numbers and the chain's end.

    Both are one statement, because this runs with every payment.
    """
    *_, rows = run_together(
        *locks.bind_receipt_chains_lock([order.raffle_id]), _SALE.bind(order=order.pk)
    )
    _, length, head, complete = rows[0]
    numbers = [number for number, *_ in rows]
    return numbers, None if head is None else _Head(length, head, complete=complete)


_HELD_BY_ORDER: Final = Q(order_id=Parameter("order", BigIntegerField()), released_at__isnull=True)
_SALE: Final = CompiledQuery(
    lambda: (
        OrderTicket.objects.filter(_HELD_BY_ORDER)
        .order_by("ticket__number")
        .values_list(
            "ticket__number",
            "order__raffle__receipt_chain__length",
            "order__raffle__receipt_chain__head",
            "order__raffle__receipt_chain__complete",
        )
    )
)


def _lock_chain(raffle_id: int) -> _Head | None:
    locks.lock_receipt_chains([raffle_id])
    chain = ReceiptChain.objects.filter(raffle_id=raffle_id).first()
    return None if chain is None else _Head(chain.length, chain.head, complete=chain.complete)


def _start_chain(raffle_id: int, *, complete: bool) -> _Head:
    """Begin a chain that is locked and has no row."""
    rules = draw_rules.load_frozen_rules(raffle_id)
    head = receipt_lines.compute_first_head(
        receipt_lines.build_raffle_reference(raffle_id), rules.sha256
    )
    ReceiptChain.objects.create(raffle_id=raffle_id, head=head, complete=complete)
    return _Head(0, head, complete=complete)


def _build_sale(
    order: Order, numbers: Sequence[int], *, raffle: Raffle, last: _Head, now: datetime
) -> ReceiptEntry:
    """Return the entry of a sale that follows the last one.

    Args:
        order: the order.
        numbers: its ticket numbers, ascending.
        raffle: its raffle.
        last: the end of the chain.
        now: the present time.

    """
    number = last.length + 1
    tickets = [raffle.format_ticket_number(each) for each in numbers]
    line = receipt_lines.build_sale_line(number, tickets)
    return ReceiptEntry(
        raffle_id=raffle.pk,
        number=number,
        kind=ReceiptKind.SALE,
        order=order,
        ticket_numbers=",".join(tickets),
        head=receipt_lines.compute_head(last.head, line),
        at=now,
    )


def _build_receipt(entry: ReceiptEntry) -> dict[str, Any]:
    return {
        "receipt_entry": entry.number,
        "receipt_head": entry.head[: receipt_lines.HEAD_DIGITS],
    }


def _append(last: _Head, entries: Sequence[ReceiptEntry]) -> None:
    """Write entries that follow the end of a locked chain, and its new end."""
    if not entries:
        return
    end = entries[-1]
    _, changed = run_together(
        _INSERT_ENTRIES.bind(entries),
        _SET_HEAD.bind(raffle=end.raffle_id, former=last.length, length=end.number, head=end.head),
    )
    row_count.check_row_count(changed, wanted=1, what=f"receipt chain of raffle {end.raffle_id}")


_INSERT_ENTRIES: Final = CompiledInsert(ReceiptEntry)
_SET_HEAD: Final = CompiledUpdate(
    lambda: ReceiptChain.objects.filter(
        pk=Parameter("raffle", BigIntegerField()), length=Parameter("former", BigIntegerField())
    ),
    length=Parameter("length", PositiveIntegerField()),
    head=Parameter("head", CharField()),
)
_SET_RECEIPT: Final = CompiledUpdate(
    lambda: Order.objects.filter(pk=Parameter("order", BigIntegerField())),
    receipt_entry=Parameter("receipt_entry", PositiveIntegerField()),
    receipt_head=Parameter("receipt_head", CharField()),
)


def _load_ticket_numbers(order_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return the ticket numbers that orders hold, ascending, by the id of the order."""
    numbers: dict[int, list[int]] = {order_id: [] for order_id in order_ids}
    links = OrderTicket.objects.filter(order__in=order_ids, released_at__isnull=True)
    for order_id, number in links.order_by("ticket__number").values_list(
        "order_id", "ticket__number"
    ):
        numbers[order_id].append(number)
    return numbers
