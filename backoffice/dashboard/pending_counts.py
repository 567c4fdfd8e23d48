"""Counts of pending work, message problems and alarms, in one query without a cache."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import CharField, Count, DateTimeField, Min, QuerySet, Value
from django.db.models.functions import Cast

from backoffice.dashboard import waiting_people
from backoffice.orders import worklists
from shared.core.statements.compiled_queries import CompiledQuery, Moment, TimeParameter
from shared.raffles.models import Order
from shared.whatsapp import predicates
from shared.whatsapp.models import Alarm, InboundMessage, OutboundMessage


@dataclass(frozen=True, slots=True)
class PendingTally:
    """The count of one kind of rows, and the time of the first of them."""

    count: int = 0
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class DashboardCounts:
    """All counts of the dashboard; a kind that the user may not see has no rows.

    Attributes:
        review: Orders with a proof to review; `first` is when the longest wait began.
        asked: Orders under review whose buyer was asked for a better proof.
        late: Payments that arrived after the ticket numbers were gone.
        orphans: Receipts to sort: they fit no order, or one that is paid already.
        expiring: Orders that expire within ten minutes; `first` is when the first one does.
        failed: Messages that did not reach their buyer.
        withheld: Messages that wait until their buyer writes.
        unanswered: Messages of buyers that could not be answered.
        alarms: Open alarms.
        people: Buyers who wait for a person; `first` is when the first one asked.

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
    people: PendingTally = PendingTally()


def count_pending_work(*, may: Callable[[str], bool], now: datetime) -> DashboardCounts:
    """Return the counts that a user may see; each part of the query reads one small index.

    Args:
        may: Returns whether the user has a permission.
        now: The current time.

    """
    allowed = frozenset(needs for needs in _list_permissions() if may(needs))
    if not allowed:
        return DashboardCounts()
    rows = _get_count_query(allowed).fetch(now=now)
    return DashboardCounts(**{kind: PendingTally(count, since) for kind, count, since in rows})


@cache
def _list_permissions() -> tuple[str, ...]:
    return tuple(needs for needs, _ in _build_count_queries(now=TimeParameter("now")))


@cache
def _get_count_query(allowed: frozenset[str]) -> CompiledQuery[tuple[str, int, datetime | None]]:
    """Return the query that counts what somebody with these permissions may see."""

    def build() -> QuerySet[Any, Any]:
        queries = _build_count_queries(now=TimeParameter("now"))
        first, *others = [part for needs, each in queries if needs in allowed for part in each]
        united: QuerySet[Any, Any] = first.union(*others, all=True) if others else first
        return united

    return CompiledQuery(build)


def _build_count_queries(*, now: Moment) -> list[tuple[str, list[QuerySet[Any, Any]]]]:
    """Return the counting queries by the permission they need; those with a time come first."""
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
            [_build_count_query("orphans", worklists.query_unsorted_proofs(), since="arrived_at")],
        ),
        (
            "whatsapp.view_whatsappcontact",
            [
                _build_count_query(
                    "people", waiting_people.query_waiting_people(), since="wants_person_at"
                )
            ],
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
    """Return a query that counts rows and can be united with counts of other tables."""
    first = Min(since) if since else Min(Cast(Value(None), DateTimeField()))
    named = rows.order_by().annotate(counted=Value(kind, output_field=CharField()))
    tallied = named.values("counted").annotate(tally=Count("pk"), first=first)
    return tallied.values_list("counted", "tally", "first")
