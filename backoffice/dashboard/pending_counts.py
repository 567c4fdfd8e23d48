"""What waits for a person right now and how the channel fares: counted afresh, in one query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import CharField, Count, DateTimeField, Min, QuerySet, Value
from django.db.models.functions import Cast

from backoffice.orders import worklists
from shared.raffles.models import Order
from shared.whatsapp import predicates
from shared.whatsapp.models import Alarm, InboundMessage, OutboundMessage


@dataclass(frozen=True, slots=True)
class PendingTally:
    """How many of a kind there are, and since when (for holds: until when) the first of them."""

    count: int = 0
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class DashboardCounts:
    """What waits.

    Attributes:
        review: orders whose proof a person must look at; `first` waits longest.
        asked: orders under review whose buyer was asked for a better proof.
        late: payments that came when the numbers were gone.
        orphans: proofs that fit no order.
        expiring: orders whose clock ends within ten minutes; `first` ends first.
        failed: messages that did not reach their buyer.
        withheld: messages that wait until their buyer writes.
        unanswered: messages of buyers that could not be answered.
        alarms: open ones.

    """

    review: PendingTally = PendingTally()
    asked: PendingTally = PendingTally()
    late: PendingTally = PendingTally()
    orphans: PendingTally = PendingTally()
    expiring: PendingTally = PendingTally()
    failed: PendingTally = PendingTally()
    withheld: PendingTally = PendingTally()
    unanswered: PendingTally = PendingTally()
    alarms: PendingTally = PendingTally()


def count_pending_work(*, may: Callable[[str], bool], now: datetime) -> DashboardCounts:
    """Count what somebody may see; each part reads one small index.

    Args:
        may: says whether that person has a permission.
        now: the clock.

    """
    parts = [part for needs, each in _build_count_queries(now=now) if may(needs) for part in each]
    if not parts:
        return DashboardCounts()
    first, *others = parts
    rows = first.union(*others, all=True) if others else first
    return DashboardCounts(**{kind: PendingTally(count, since) for kind, count, since in rows})


def _build_count_queries(*, now: datetime) -> list[tuple[str, list[QuerySet[Any, Any]]]]:
    """Give what is counted, by the permission it needs; those with a time come first."""
    to_review = worklists.query_orders_to_review().filter(asked_again_at__isnull=True)
    asked = worklists.query_orders_to_review().filter(asked_again_at__isnull=False)
    expiring = Order.objects.filter(worklists.build_expiring_soon_condition(now=now))
    sent = OutboundMessage.objects
    return [
        (
            "raffles.view_order",
            [
                _build_count_query("review", to_review, since="under_review_since"),
                _build_count_query("asked", asked, since="asked_again_at"),
                _build_count_query(
                    "late", worklists.query_late_payment_orders(), since="closed_at"
                ),
                _build_count_query("expiring", expiring, since="expires_at"),
            ],
        ),
        (
            "raffles.view_paymentproof",
            [_build_count_query("orphans", worklists.query_orphan_proofs(), since="arrived_at")],
        ),
        (
            "whatsapp.view_alarm",
            [
                _build_count_query(
                    "alarms", Alarm.objects.filter(resolved_at=None), since="first_at"
                )
            ],
        ),
        (
            "whatsapp.view_outboundmessage",
            [
                _build_count_query("failed", sent.filter(predicates.FAILED_OUTBOUND)),
                _build_count_query("withheld", sent.filter(predicates.WITHHELD_OUTBOUND)),
            ],
        ),
        (
            "whatsapp.view_inboundmessage",
            [
                _build_count_query(
                    "unanswered", InboundMessage.objects.filter(predicates.FAILED_INBOUND)
                )
            ],
        ),
    ]


def _build_count_query(kind: str, rows: QuerySet[Any], *, since: str = "") -> Any:
    """Count rows in a form that can be united with other tables' counts."""
    first = Min(since) if since else Min(Cast(Value(None), DateTimeField()))
    named = rows.order_by().annotate(counted=Value(kind, output_field=CharField()))
    tallied = named.values("counted").annotate(tally=Count("pk"), first=first)
    return tallied.values_list("counted", "tally", "first")
