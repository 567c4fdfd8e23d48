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
class Tally:
    """How many of a kind there are, and since when (for holds: until when) the first of them."""

    count: int = 0
    first: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
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

    review: Tally = Tally()
    asked: Tally = Tally()
    late: Tally = Tally()
    orphans: Tally = Tally()
    expiring: Tally = Tally()
    failed: Tally = Tally()
    withheld: Tally = Tally()
    unanswered: Tally = Tally()
    alarms: Tally = Tally()


def read(*, may: Callable[[str], bool], now: datetime) -> Counts:
    """Count what somebody may see; each part reads one small index.

    Args:
        may: says whether that person has a permission.
        now: the clock.

    """
    parts = [part for needs, each in _parts(now=now) if may(needs) for part in each]
    if not parts:
        return Counts()
    first, *others = parts
    rows = first.union(*others, all=True) if others else first
    return Counts(**{kind: Tally(count, since) for kind, count, since in rows})


def _parts(*, now: datetime) -> list[tuple[str, list[QuerySet[Any, Any]]]]:
    """Give what is counted, by the permission it needs; those with a time come first."""
    to_review = worklists.orders().filter(asked_again_at__isnull=True)
    asked = worklists.orders().filter(asked_again_at__isnull=False)
    expiring = Order.objects.filter(worklists.running_out(now=now))
    sent = OutboundMessage.objects
    return [
        (
            "raffles.view_order",
            [
                _counted("review", to_review, since="under_review_since"),
                _counted("asked", asked, since="asked_again_at"),
                _counted("late", worklists.late_orders(), since="closed_at"),
                _counted("expiring", expiring, since="expires_at"),
            ],
        ),
        (
            "raffles.view_paymentproof",
            [_counted("orphans", worklists.orphans(), since="arrived_at")],
        ),
        (
            "whatsapp.view_alarm",
            [_counted("alarms", Alarm.objects.filter(resolved_at=None), since="first_at")],
        ),
        (
            "whatsapp.view_outboundmessage",
            [
                _counted("failed", sent.filter(predicates.FAILED_OUTBOUND)),
                _counted("withheld", sent.filter(predicates.WITHHELD_OUTBOUND)),
            ],
        ),
        (
            "whatsapp.view_inboundmessage",
            [_counted("unanswered", InboundMessage.objects.filter(predicates.FAILED_INBOUND))],
        ),
    ]


def _counted(kind: str, rows: QuerySet[Any], *, since: str = "") -> Any:
    """Count rows in a form that can be united with other tables' counts."""
    first = Min(since) if since else Min(Cast(Value(None), DateTimeField()))
    named = rows.order_by().annotate(counted=Value(kind, output_field=CharField()))
    tallied = named.values("counted").annotate(tally=Count("pk"), first=first)
    return tallied.values_list("counted", "tally", "first")
