"""Reads of refunds: the money that must go back to buyers, and the money that went back."""

from typing import Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from shared.core.enums import LedgerKind, OrderStatus, RaffleStatus
from shared.core.statements.compiled_queries import Moment
from shared.raffles import sale_rules
from shared.raffles.models import LedgerEntry, Order, Raffle

REFUND_KINDS: Final = (LedgerKind.REFUNDED, LedgerKind.LATE_REFUNDED)
"""Ledger entries about money that was sent back."""

_PAID_AND_NOT_REFUNDED: Final = Q(
    ~Exists(
        LedgerEntry.objects.filter(Q(kind=LedgerKind.REFUNDED) | Q(amount=0), order=OuterRef("pk"))
    ),
    status=OrderStatus.PAID,
)
"""Paid orders that were not free; a condition on their total would keep the small index away."""


def query_orders_to_refund(*, now: Moment, raffle_id: int | None = None) -> QuerySet[Order]:
    """Return the orders whose money must go back, oldest first.

    These are the paid orders of raffles that were called off, unless they cost nothing, and the
    orders that were paid too late in raffles where nothing may be settled any more. Both parts are
    found by small indexes.

    Args:
        now: the present time.
        raffle_id: only orders of this raffle; None for all raffles.

    """
    raffles = Raffle.objects.all() if raffle_id is None else Raffle.objects.filter(pk=raffle_id)
    called_off = raffles.filter(status=RaffleStatus.CANCELLED)
    paid = Order.objects.filter(_PAID_AND_NOT_REFUNDED, raffle__in=called_off)
    over = raffles.filter(sale_rules.build_not_settling_condition(now=now))
    # Adding zero to the raffle makes the database use the small index of undecided orders.
    late = Order.objects.alias(of=F("raffle_id") + 0).filter(needs_decision=True, of__in=over)
    ids = paid.order_by().values("pk").union(late.order_by().values("pk"))
    return Order.objects.filter(pk__in=ids).order_by("id")


def query_orders_of_called_off_raffles() -> QuerySet[Order]:
    """Return the same orders, for a caller who filters by a raffle that was called off."""
    return Order.objects.filter(_PAID_AND_NOT_REFUNDED | Q(needs_decision=True)).order_by()


def query_refunds(*, raffle_id: int | None = None) -> QuerySet[LedgerEntry]:
    """Return the refunds that were made, newest first, of one raffle or of all (None)."""
    entries = LedgerEntry.objects.filter(kind__in=REFUND_KINDS)
    if raffle_id is not None:
        entries = entries.filter(raffle_id=raffle_id)
    return entries.order_by("-at", "-id")


def build_refunded_condition() -> Q:
    """Return a condition for the orders of which `is_refunded` is true, to filter or annotate."""
    entries = LedgerEntry.objects.filter(order=OuterRef("pk"))
    over = ~Q(status__in=Order.HOLDING) & Q(needs_decision=False)
    refunded = Q(Exists(entries.filter(kind=LedgerKind.REFUNDED)))
    late = entries.filter(kind=LedgerKind.LATE_REFUNDED, confirmation__isnull=True)
    return refunded | over & Q(Exists(late))


def is_refunded(order: Order) -> bool:
    """Whether the money of an order went back.

    Reads the ledger of the order, without a query if it is prefetched. The refund of a late payment
    counts only while the order is over: the buyer may have paid again since. That of a second
    payment, which names the confirmation of the first one, never counts.
    """
    entries = order.ledger.all()
    over = order.status not in Order.HOLDING and not order.needs_decision
    return any(
        entry.kind == LedgerKind.REFUNDED
        or (over and entry.kind == LedgerKind.LATE_REFUNDED and entry.confirmation_id is None)
        for entry in entries
    )
