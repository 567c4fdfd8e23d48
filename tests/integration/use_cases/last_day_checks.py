"""Snapshots of a raffle, and the rules of the last day that each change of it must keep."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.core.enums import (
    ActorKind,
    LedgerKind,
    OrderAction,
    OrderStatus,
    ProofStatus,
    RaffleStatus,
    TicketStatus,
)
from shared.raffles import sale_rules
from shared.raffles.draws.draw_models import ReceiptEntry, SealedList
from shared.raffles.models import (
    LedgerEntry,
    Order,
    OrderEvent,
    OrderTicket,
    PaymentProof,
    Raffle,
    RaffleEvent,
    TicketNumber,
)
from shared.raffles.services.ticket_numbers import inventory

FINAL = (RaffleStatus.SEALED, RaffleStatus.DRAWN)
UNSETTLED = (*FINAL, RaffleStatus.CANCELLED)


@dataclass(frozen=True)
class OrderState:
    """Status of an order, its receipt, and the ticket numbers that it holds."""

    status: OrderStatus
    receipt: tuple[int | None, str | None]
    numbers: frozenset[int]


@dataclass(frozen=True)
class RaffleSnapshot:
    """A raffle and its orders at one moment; `refunded` has the orders with a REFUNDED entry."""

    raffle: Raffle
    orders: Mapping[int, OrderState]
    refunded: frozenset[int]
    sealed: tuple[bytes, ...]
    chain_length: int
    last_event_id: int


def take_snapshot(raffle_id: int) -> RaffleSnapshot:
    """Return the raffle as it is now."""
    held: dict[int, set[int]] = defaultdict(set)
    links = OrderTicket.objects.filter(released_at__isnull=True)
    for order_id, number in links.values_list("order_id", "ticket__number"):
        held[order_id].add(number)
    refunds = LedgerEntry.objects.filter(kind=LedgerKind.REFUNDED)
    last = OrderEvent.objects.order_by("-id").values_list("pk", flat=True).first()
    return RaffleSnapshot(
        raffle=Raffle.objects.get(pk=raffle_id),
        orders={
            order_id: OrderState(OrderStatus(status), (entry, head), frozenset(held[order_id]))
            for order_id, status, entry, head in Order.objects.values_list(
                "pk", "status", "receipt_entry", "receipt_head"
            )
        },
        refunded=frozenset(refunds.values_list("order_id", flat=True)),
        sealed=tuple(bytes(row.numbers) for row in SealedList.objects.filter(raffle=raffle_id)),
        chain_length=ReceiptEntry.objects.filter(raffle=raffle_id).count(),
        last_event_id=last or 0,
    )


def assert_change_allowed(before: RaffleSnapshot, after: RaffleSnapshot, *, now: datetime) -> None:
    """Check that the rules of the last day allow what happened at `now`."""
    assert before.orders.keys() <= after.orders.keys(), "an order is never deleted"
    if before.raffle.status in FINAL:
        assert after.orders == before.orders, "nothing changes after the sealing"
        assert after.sealed == before.sealed, "the list never changes"
        assert after.chain_length == before.chain_length, "nothing enters the chain any more"
    for order_id in before.refunded:
        paid_again = after.orders[order_id].status not in {
            before.orders[order_id].status,
            OrderStatus.CANCELLED,
        }
        assert not paid_again, "a refunded order is never confirmed again"
    draw_at = before.raffle.draw_at
    if before.raffle.status in UNSETTLED or (draw_at is not None and draw_at <= now):
        _assert_nothing_sold(before, after)
    for event in OrderEvent.objects.filter(pk__gt=before.last_event_id):
        _assert_event_allowed(event, before, now=now)


def _assert_nothing_sold(before: RaffleSnapshot, after: RaffleSnapshot) -> None:
    """Check that no order is new, and that none has got ticket numbers."""
    assert after.orders.keys() == before.orders.keys(), "nothing new is sold after the draw"
    for order_id, state in after.orders.items():
        assert state.numbers <= before.orders[order_id].numbers, "no ticket number is given out"


def _assert_event_allowed(event: OrderEvent, before: RaffleSnapshot, *, now: datetime) -> None:
    was = OrderStatus(event.from_status) if event.from_status else None
    if was == OrderStatus.CANCELLED and event.to_status in Order.HOLDING:
        assert event.actor_kind == ActorKind.STAFF, "only a person revives a cancelled order"
    draw_at = before.raffle.draw_at
    due = draw_at is not None and draw_at <= now
    if before.raffle.status in UNSETTLED or due:
        assert event.action not in {
            OrderAction.HELD,
            OrderAction.NUMBERS_TAKEN_BACK,
            OrderAction.NUMBERS_REPLACED,
            OrderAction.UNCONFIRMED,
        }
        if event.action in {OrderAction.PLACED, OrderAction.PAID}:
            assert before.raffle.status not in UNSETTLED
            decides = event.action == OrderAction.PAID
            assert not (decides and sale_rules.has_public_source(before.raffle)), "values are known"
            assert draw_at is not None
            assert _was_proven_before(event.order_id, draw_at), "only what was proven in time"
        assert event.action != OrderAction.PAID or event.actor_kind == ActorKind.STAFF


def _was_proven_before(order_id: int, draw_at: datetime) -> bool:
    proofs = PaymentProof.objects.filter(order_id=order_id, arrived_at__lt=draw_at)
    return proofs.exclude(status=ProofStatus.FAILED).exists()


def assert_consistent(raffle_id: int) -> None:
    """Check inventory with receipts, deadlines, flags, histories and ledger of a raffle."""
    raffle = Raffle.objects.get(pk=raffle_id)
    unfinished = RaffleEvent.objects.filter(unfinished=True).exists()
    orders = list(Order.objects.order_by("pk"))
    last = {event.order_id: event.to_status for event in OrderEvent.objects.order_by("pk")}
    assert inventory.find_inventory_problems() == []
    for order in orders:
        assert last[order.pk] == order.status, "the history ends where the order is"
        assert not order.needs_decision or order.status not in Order.HOLDING
        assert not order.under_review or order.status == OrderStatus.PENDING_PAYMENT
        assert not order.asked_again_at or order.under_review
        if order.status in Order.LIVE:
            assert raffle.status not in FINAL, "a sealed raffle has no live orders"
            assert raffle.status != RaffleStatus.CANCELLED or unfinished
            if order.expires_at is not None and raffle.draw_at is not None and not unfinished:
                assert order.expires_at <= raffle.draw_at, "no deadline is after the draw"
    assert SealedList.objects.filter(raffle=raffle).exists() == (raffle.status in FINAL)
    _assert_ledger_adds_up(orders)


def _assert_ledger_adds_up(orders: list[Order]) -> None:
    """Check that money in minus money back is what the paid orders cost that are not refunded."""
    entries = list(LedgerEntry.objects.all())
    money_in = sum_amounts(entries, LedgerKind.CONFIRMED)
    money_back = sum_amounts(entries, LedgerKind.UNDONE, LedgerKind.REFUNDED)
    refunded = {entry.order_id for entry in entries if entry.kind == LedgerKind.REFUNDED}
    paid = [order for order in orders if order.status == OrderStatus.PAID]
    kept = sum((order.total for order in paid if order.pk not in refunded), Decimal())
    assert money_in - money_back == kept
    sold = TicketNumber.objects.filter(status=TicketStatus.SOLD).count()
    assert sold == sum(order.quantity for order in paid)


def sum_amounts(entries: list[LedgerEntry], *kinds: LedgerKind) -> Decimal:
    """Return the sum of the entries of these kinds."""
    return sum((entry.amount for entry in entries if entry.kind in kinds), Decimal())
