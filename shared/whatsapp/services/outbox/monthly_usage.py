"""Messages sent in the current month, which Meta charges for beyond a free number of them."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, QuerySet, Sum

from shared.whatsapp.models import DeletedMessages, OutboundMessage

FREE_MESSAGES_PER_MONTH: Final = 1_000
"""Free-form messages that cost nothing, per business number and calendar month. Source: "Pricing on
the WhatsApp Business Platform", in force since 2026-10-01."""
WARNING_SHARE: Final = 0.8
"""Share of the free messages from which on people are warned."""


@dataclass(frozen=True, slots=True)
class MonthlyUsage:
    """The messages that a business number has sent since the month began."""

    sent: int

    @property
    def charged(self) -> int:
        """Messages beyond the free ones."""
        return max(0, self.sent - FREE_MESSAGES_PER_MONTH)

    @property
    def is_high(self) -> bool:
        """Whether the free messages are used up, or will be soon."""
        return self.sent >= FREE_MESSAGES_PER_MONTH * WARNING_SHARE


def count_monthly_usage(
    phone_number_ids: Collection[str], *, now: datetime, zone: str
) -> dict[str, MonthlyUsage]:
    """Count the messages of the month that Meta accepted, in one query.

    Meta charges for those that are delivered, so its figure is lower by those that were not. Its
    month begins at midnight in the time zone of the WhatsApp account. Deleted messages are counted,
    too, by the hour: in time zones with half hours a few of the month before may be among them.

    Args:
        phone_number_ids: the business numbers.
        now: the current time.
        zone: IANA name of the time zone in which the month begins.

    Returns:
        The usage of each number.

    """
    month = now.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    sent = query_sent_counts(phone_number_ids, since=month)
    deleted = _query_deleted_counts(phone_number_ids, since=month)
    counts: Counter[str] = Counter()
    for number, count in sent.union(deleted, all=True):
        counts[number] += count
    return {number: MonthlyUsage(counts[number]) for number in phone_number_ids}


def query_sent_counts(
    phone_number_ids: Collection[str], *, since: datetime
) -> QuerySet[OutboundMessage, Any]:
    """Return a query for business numbers with the count of messages sent since a time."""
    sent = OutboundMessage.objects.filter(phone_number_id__in=phone_number_ids, sent_at__gte=since)
    return sent.order_by().values_list("phone_number_id").annotate(count=Count("*"))


def _query_deleted_counts(
    phone_number_ids: Collection[str], *, since: datetime
) -> QuerySet[DeletedMessages, Any]:
    first_hour = since.astimezone(UTC).replace(minute=0)
    deleted = DeletedMessages.objects.filter(
        phone_number_id__in=phone_number_ids, hour__gte=first_hour
    )
    return deleted.order_by().values_list("phone_number_id").annotate(sum=Sum("count"))
