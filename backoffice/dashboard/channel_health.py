"""How the channel to WhatsApp fares, as the first screen shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from backoffice.dashboard.pending_counts import Counts
from backoffice.messaging import business_numbers
from backoffice.ui import display
from shared.whatsapp.models import Alarm, BusinessNumber

NUMBERS: Final = 8
"""Business numbers on the first screen; a house has one or two."""
ALARMS: Final = 3


@dataclass(frozen=True, slots=True)
class ShownNumber:
    """A business number: its state in a word with Bootstrap's style, why, and when Meta called.

    `quiet` if Meta has not called for a day.
    """

    name: str
    page: str
    state: str
    style: str
    why: str
    heard: str
    quiet: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Messages of one kind that need a look, and their list."""

    count: int
    says: str
    icon: str
    address: str


@dataclass(frozen=True, slots=True)
class Channel:
    """Business numbers and messages; None where this person may not look."""

    numbers: Sequence[ShownNumber] | None
    troubles: Sequence[Trouble] | None

    @property
    def sees_numbers(self) -> bool:
        """Whether this person may look at business numbers."""
        return self.numbers is not None

    @property
    def sees_messages(self) -> bool:
        """Whether this person may look at messages."""
        return self.troubles is not None


@dataclass(frozen=True, slots=True)
class ShownAlarm:
    """An open alarm, how often it rang and how long ago it rang last."""

    title: str
    page: str
    often: str
    ago: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """The latest open alarms, how many there are besides, and the list of all."""

    shown: Sequence[ShownAlarm]
    more: int
    address: str


def of(request: HttpRequest, counts: Counts, *, now: datetime) -> Channel | None:
    """Read the business numbers, in one query; None if this person may see none of it."""
    may = request.user.has_perm
    numbers = _numbers(now=now) if may("whatsapp.view_businessnumber") else None
    sees_messages = may("whatsapp.view_outboundmessage") or may("whatsapp.view_inboundmessage")
    troubles = _troubles(counts) if sees_messages else None
    return None if numbers is None and troubles is None else Channel(numbers, troubles)


def alarms(counts: Counts, *, now: datetime) -> Alarms | None:
    """Read the latest open alarms, in one query; None while all is quiet."""
    if not counts.alarms.count:
        return None
    latest = Alarm.objects.filter(resolved_at=None).order_by("-last_at")[:ALARMS]
    shown = [
        ShownAlarm(
            title=alarm.title,
            page=reverse("admin:whatsapp_alarm_change", args=[alarm.pk]),
            often="" if alarm.count == 1 else f"{alarm.count:,} times, last",
            ago=f"{display.ago(alarm.last_at, now=now)} ago",
        )
        for alarm in latest
    ]
    listed = reverse("admin:whatsapp_alarm_changelist")
    return Alarms(shown, max(0, counts.alarms.count - len(shown)), f"{listed}?open=yes")


def _numbers(*, now: datetime) -> list[ShownNumber]:
    return [_number(row, now=now) for row in BusinessNumber.objects.order_by("pk")[:NUMBERS]]


def _number(number: BusinessNumber, *, now: datetime) -> ShownNumber:
    state, style = business_numbers.state_of(number, now=now)
    heard = number.last_webhook_at
    return ShownNumber(
        name=str(number),
        page=reverse("admin:whatsapp_businessnumber_change", args=[number.pk]),
        state=state,
        style=style,
        why=business_numbers.why(number, now=now),
        heard=f"last webhook {display.ago(heard, now=now)} ago" if heard else "no webhook yet",
        quiet=heard is None or now - heard > business_numbers.QUIET_AFTER,
    )


def _troubles(counts: Counts) -> list[Trouble]:
    """Name what needs a look; kinds without any are left out."""
    sent = reverse("admin:whatsapp_outboundmessage_changelist")
    received = reverse("admin:whatsapp_inboundmessage_changelist")
    kinds = [
        Trouble(
            counts.failed.count, "not delivered", "fa-exclamation-circle", f"{sent}?status=FAILED"
        ),
        Trouble(
            counts.withheld.count,
            "held back",
            "fa-hourglass-half",
            f"{sent}?status=WITHHELD",
        ),
        Trouble(
            counts.unanswered.count,
            "could not be answered",
            "fa-comment-slash",
            f"{received}?status=FAILED",
        ),
    ]
    return [kind for kind in kinds if kind.count]
