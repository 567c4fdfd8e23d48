"""State of the business numbers, failed messages and open alarms on the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from backoffice.dashboard.pending_counts import DashboardCounts
from backoffice.messaging import business_numbers
from backoffice.ui import display
from shared.whatsapp.models import Alarm, BusinessNumber
from shared.whatsapp.services.outbox import monthly_usage
from shared.whatsapp.services.outbox.monthly_usage import FREE_MESSAGES_PER_MONTH, MonthlyUsage

BUSINESS_NUMBERS_SHOWN: Final = 8
"""Business numbers on the dashboard; most sellers have one or two."""
ALARMS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class BusinessNumberCard:
    """The state of a business number.

    Attributes:
        name: The business number.
        page: The address of its page.
        state: Its sending state in a word.
        style: The Bootstrap colour of that state.
        why: An explanation of the state.
        heard: The time since the last webhook, as text.
        quiet: Whether the last webhook is too long ago.
        sent: The messages sent this month, of how many free ones.
        cost: What that means for the costs; empty while there are free messages enough.

    """

    name: str
    page: str
    state: str
    style: str
    why: str
    heard: str
    quiet: bool
    sent: str
    cost: str


@dataclass(frozen=True, slots=True)
class MessageProblem:
    """The count of messages with one kind of problem, and the address of their list."""

    count: int
    says: str
    icon: str
    address: str


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """Business numbers and message problems; None if the user may not see them."""

    numbers: Sequence[BusinessNumberCard] | None
    troubles: Sequence[MessageProblem] | None

    @property
    def sees_numbers(self) -> bool:
        """Whether the user may see business numbers."""
        return self.numbers is not None

    @property
    def sees_messages(self) -> bool:
        """Whether the user may see messages."""
        return self.troubles is not None


@dataclass(frozen=True, slots=True)
class OpenAlarmRow:
    """An open alarm, how often it occurred, and the time since it last did."""

    title: str
    page: str
    often: str
    ago: str


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """The latest open alarms, the count of the others, and the address of the list of all."""

    shown: Sequence[OpenAlarmRow]
    more: int
    address: str


def load_channel_health(
    request: HttpRequest, counts: DashboardCounts, *, now: datetime
) -> ChannelHealth | None:
    """Return the health of the channel, in two queries; None if the user may see none of it."""
    may = request.user.has_perm
    numbers = _load_business_numbers(now=now) if may("whatsapp.view_businessnumber") else None
    sees_messages = may("whatsapp.view_outboundmessage") or may("whatsapp.view_inboundmessage")
    troubles = _list_message_problems(counts) if sees_messages else None
    return None if numbers is None and troubles is None else ChannelHealth(numbers, troubles)


def load_open_alarms(counts: DashboardCounts, *, now: datetime) -> OpenAlarms | None:
    """Return the latest open alarms, in one query; None if there are none."""
    if not counts.alarms.count:
        return None
    latest = Alarm.objects.filter(resolved_at=None).order_by("-last_at")[:ALARMS_SHOWN]
    shown = [
        OpenAlarmRow(
            title=alarm.title,
            page=reverse("admin:whatsapp_alarm_change", args=[alarm.pk]),
            often="" if alarm.count == 1 else f"{alarm.count:,} times, last",
            ago=f"{display.format_time_since(alarm.last_at, now=now)} ago",
        )
        for alarm in latest
    ]
    listed = reverse("admin:whatsapp_alarm_changelist")
    return OpenAlarms(shown, max(0, counts.alarms.count - len(shown)), f"{listed}?open=yes")


def _load_business_numbers(*, now: datetime) -> list[BusinessNumberCard]:
    numbers = list(BusinessNumber.objects.order_by("pk")[:BUSINESS_NUMBERS_SHOWN])
    usage = monthly_usage.count_monthly_usage(
        [number.phone_number_id for number in numbers], now=now, zone=settings.TIME_ZONE
    )
    return [
        _build_business_number_card(number, usage[number.phone_number_id], now=now)
        for number in numbers
    ]


def _build_business_number_card(
    number: BusinessNumber, usage: MonthlyUsage, *, now: datetime
) -> BusinessNumberCard:
    state, style = business_numbers.describe_sending_state(number, now=now)
    heard = number.last_webhook_at
    return BusinessNumberCard(
        name=str(number),
        page=reverse("admin:whatsapp_businessnumber_change", args=[number.pk]),
        state=state,
        style=style,
        why=business_numbers.explain_sending_state(number, now=now),
        heard=f"last webhook {display.format_time_since(heard, now=now)} ago"
        if heard
        else "no webhook yet",
        quiet=business_numbers.is_quiet(number, now=now),
        sent=_describe_usage(usage),
        cost=_describe_cost(usage),
    )


def _describe_usage(usage: MonthlyUsage) -> str:
    free = f"{FREE_MESSAGES_PER_MONTH:,}"
    if usage.charged:
        return f"{usage.sent:,} messages sent this month, {usage.charged:,} beyond the free {free}"
    return f"{usage.sent:,} of {free} free messages sent this month"


def _describe_cost(usage: MonthlyUsage) -> str:
    if usage.charged:
        return "WhatsApp charges for them; without a payment method it stops answers."
    if usage.is_high:
        return "WhatsApp charges for more, and without a payment method it stops answers."
    return ""


def _list_message_problems(counts: DashboardCounts) -> list[MessageProblem]:
    """Return the kinds of problems that at least one message has."""
    sent = reverse("admin:whatsapp_outboundmessage_changelist")
    received = reverse("admin:whatsapp_inboundmessage_changelist")
    kinds = [
        MessageProblem(
            counts.failed.count, "not delivered", "fa-exclamation-circle", f"{sent}?status=FAILED"
        ),
        MessageProblem(
            counts.withheld.count,
            "held back",
            "fa-hourglass-half",
            f"{sent}?status=WITHHELD",
        ),
        MessageProblem(
            counts.unanswered.count,
            "could not be answered",
            "fa-comment-slash",
            f"{received}?status=FAILED",
        ),
    ]
    return [kind for kind in kinds if kind.count]
