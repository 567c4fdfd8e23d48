"""The receipt chain of a raffle: a hash chain over its sales, whose heads buyers hold.

An entry is written in the transaction of the payment. The head's row is the last one locked: its
holder waits for nothing more, so entries of one raffle queue behind each other without a deadlock.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from shared.core.enums import OrderStatus, RaffleStatus, ReceiptKind
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draw_models import ReceiptChain, ReceiptEntry
from shared.raffles.models import Order, OrderTicket, Raffle
from shared.raffles.services import locks
from shared.raffles.services.draws import draw_rules

ORDERS_PER_TRANSACTION: Final = 200
"""Orders from before the chain that one transaction enters: a fraction of a second."""


def append_sale(order: Order, *, by: Actor, now: datetime) -> None:
    """Enter the sale of an order into the receipt chain; nothing waits after this.

    The first sale of a raffle freezes its rules. If numbers were sold before the raffle had rules,
    nothing is entered until a person has chosen them; see `complete_chain`.

    Args:
        order: just paid, locked by `locks.lock_order`.
        by: the author of the sale.
        now: time of the sale.

    """
    chain = _lock_chain(order.raffle_id)
    if chain is None and _was_sold_before(order):
        chain = _lock_chain(order.raffle_id)  # the first sale may have been committed in between
        if chain is None:
            return
    if chain is None:
        draw_rules.freeze_rules(order.raffle, by=by, now=now)
        chain = _start_chain(order.raffle_id, complete=True)
    if chain.complete:
        _append_sales(chain, [order], now=now)


def append_void(order: Order, *, now: datetime) -> None:
    """Make the entry of an order void, because its payment was undone or refunded.

    After the sealing no entry is made: the list stays as it is.
    """
    if order.receipt_entry is None:
        return
    if order.raffle.status in {RaffleStatus.SEALED, RaffleStatus.DRAWN}:
        return
    chain = _lock_chain(order.raffle_id)
    if chain is None:
        raise RuntimeError(f"order {order.pk} has a receipt entry and its raffle has no chain")
    number = chain.length + 1
    line = receipt_lines.build_void_line(number, voided=order.receipt_entry)
    head = receipt_lines.compute_head(chain.head, line)
    ReceiptEntry.objects.create(
        raffle_id=order.raffle_id,
        number=number,
        kind=ReceiptKind.VOID,
        order=order,
        voided=order.receipt_entry,
        head=head,
        at=now,
    )
    _save_head(chain, length=number, head=head)
    order.receipt_entry = order.receipt_head = None
    order.save(update_fields=["receipt_entry", "receipt_head"])


def complete_chain(raffle_id: int, *, now: datetime) -> ReceiptChain:
    """Enter the orders that were paid before the chain existed, ordered by payment, then by id.

    Many short transactions; it may be called again after an interruption. Orders that are paid
    meanwhile are entered by it as well, since their payments are the latest.

    Raises:
        RaffleNotFound: there is no such raffle.
        RulesMissing: nobody has said yet how it is drawn.

    """
    draw_rules.load_frozen_rules(raffle_id)
    while True:
        with transaction.atomic(durable=True):
            raffle = locks.lock_raffle(raffle_id)
            chain = _lock_chain(raffle.pk) or _start_chain(raffle.pk, complete=False)
            if chain.complete and not _query_orders_without_entry(raffle.pk).exists():
                return chain
            orders = list(_query_orders_without_entry(raffle.pk)[:ORDERS_PER_TRANSACTION])
            _append_sales(chain, orders, now=now)
            if len(orders) < ORDERS_PER_TRANSACTION and not chain.complete:
                chain.complete = True
                chain.save(update_fields=["complete"])


def build_lines(raffle_id: int) -> Iterator[str]:
    """Yield the lines of a raffle's receipt chain in their order."""
    entries = ReceiptEntry.objects.filter(raffle_id=raffle_id).order_by("number")
    rows = entries.values_list("number", "ticket_numbers", "voided")
    for number, tickets, voided in rows.iterator(chunk_size=5_000):
        if voided is not None:
            yield receipt_lines.build_void_line(number, voided=voided)
        else:
            yield receipt_lines.build_sale_line(number, tickets.split(","))


def _query_orders_without_entry(raffle_id: int) -> QuerySet[Order]:
    return Order.objects.filter(
        raffle_id=raffle_id, status=OrderStatus.PAID, receipt_entry__isnull=True
    ).order_by("closed_at", "id")


def _was_sold_before(order: Order) -> bool:
    """Whether a raffle without a chain has other paid orders."""
    paid = Order.objects.filter(raffle_id=order.raffle_id, status=OrderStatus.PAID)
    return paid.exclude(pk=order.pk).exists()


def _lock_chain(raffle_id: int) -> ReceiptChain | None:
    return ReceiptChain.objects.select_for_update(no_key=True).filter(raffle_id=raffle_id).first()


def _start_chain(raffle_id: int, *, complete: bool) -> ReceiptChain:
    """Begin a chain, unless another payment does at this moment; lock it."""
    rules = draw_rules.load_frozen_rules(raffle_id)
    head = receipt_lines.compute_first_head(
        receipt_lines.build_raffle_reference(raffle_id), rules.sha256
    )
    ReceiptChain.objects.bulk_create(
        [ReceiptChain(raffle_id=raffle_id, head=head, complete=complete)], ignore_conflicts=True
    )
    return ReceiptChain.objects.select_for_update(no_key=True).get(raffle_id=raffle_id)


def _append_sales(chain: ReceiptChain, orders: Sequence[Order], *, now: datetime) -> None:
    if not orders:
        return
    raffle = Raffle.objects.get(pk=chain.raffle_id)
    numbers = _load_ticket_numbers(orders)
    length, head, entries = chain.length, chain.head, []
    for order in orders:
        length += 1
        tickets = [raffle.format_ticket_number(number) for number in sorted(numbers[order.pk])]
        head = receipt_lines.compute_head(head, receipt_lines.build_sale_line(length, tickets))
        entries.append(
            ReceiptEntry(
                raffle=raffle,
                number=length,
                kind=ReceiptKind.SALE,
                order=order,
                ticket_numbers=",".join(tickets),
                head=head,
                at=now,
            )
        )
        order.receipt_entry, order.receipt_head = length, head[: receipt_lines.HEAD_DIGITS]
    ReceiptEntry.objects.bulk_create(entries)
    Order.objects.bulk_update(orders, ["receipt_entry", "receipt_head"])
    _save_head(chain, length=length, head=head)


def _load_ticket_numbers(orders: Sequence[Order]) -> dict[int, list[int]]:
    """Return the ticket numbers that orders hold, by the id of the order."""
    numbers: dict[int, list[int]] = {order.pk: [] for order in orders}
    links = OrderTicket.objects.filter(order__in=list(numbers), released_at__isnull=True)
    for order_id, number in links.values_list("order_id", "ticket__number"):
        numbers[order_id].append(number)
    return numbers


def _save_head(chain: ReceiptChain, *, length: int, head: str) -> None:
    chain.length, chain.head = length, head
    chain.save(update_fields=["length", "head"])
