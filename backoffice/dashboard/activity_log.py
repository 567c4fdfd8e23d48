"""Activity log: admin log, decisions about orders, and changes by API tokens, by time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import urlencode

from django.contrib.admin.models import LogEntry
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS
from backoffice.orders.timeline import ACTION_LABELS
from backoffice.raffles.history import ACTOR_LABELS, RAFFLE_ACTION_LABELS
from backoffice.ui import display
from shared.core.enums import ActorKind, OrderAction, RaffleAction
from shared.raffles.models import OrderEvent, RaffleEvent

ENTRIES_PER_PAGE: Final = 50

_PERSONS: Final = (ActorKind.STAFF, ActorKind.TOKEN)
"""Kinds of actors behind which a person stands who works for the seller."""


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """One thing that somebody did.

    Attributes:
        at: The time.
        rank: The order among entries of the same time.
        who: The name of the user or token.
        door: How it was done if not in the back office, e.g. "by the API".
        subject: The name of the order, raffle or other object.
        address: The address of its page; empty if there is none.
        said: What was done, and the reason.

    """

    at: datetime
    rank: tuple[int, int]
    who: str
    door: str
    subject: str
    address: str
    said: str

    @property
    def clock(self) -> str:
        """The time in the time zone of the installation."""
        return display.format_time(self.at)


@dataclass(frozen=True, slots=True)
class ActivityCursor:
    """The end of a page: the time of its last entry and how many of that time were shown."""

    at: datetime
    shown: int

    @classmethod
    def parse(cls, query: QueryDict) -> Self | None:
        """Return the cursor of a request; None on the first page or if it is malformed."""
        at, shown = query.get("before", ""), query.get("shown", "")
        try:
            micros = int(at[:20])
            return cls(datetime.fromtimestamp(micros / 1_000_000, UTC), min(int(shown[:4]), 9_999))
        except (ValueError, OverflowError, OSError):
            return None

    def build_query(self, *, words: str) -> str:
        """Return the query of the next page."""
        micros = round(self.at.timestamp() * 1_000_000)
        query = {"q": words} if words else {}
        return urlencode({**query, "before": str(micros), "shown": str(self.shown)})


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """A page of entries, newest first; `following` is the query of the next page or empty."""

    entries: list[ActivityEntry]
    words: str
    following: str


def load_activity_page(query: QueryDict) -> ActivityPage:
    """Return a page of what people did, newest first, in three queries.

    Args:
        query: `q` is a person's name, an order's code or a part of another name; `before` and
            `shown` are the cursor.

    """
    words, cursor = query.get("q", "").strip(), ActivityCursor.parse(query)
    if len(words) > MAX_SEARCH_CHARACTERS:
        return ActivityPage([], words, "")
    skip = cursor.shown if cursor else 0
    limit = ENTRIES_PER_PAGE + skip + 1
    found = [
        *_load_log_entries(words, cursor, limit=limit),
        *_load_order_entries(words, cursor, limit=limit),
        *_load_raffle_entries(words, cursor, limit=limit),
    ]
    found.sort(key=lambda entry: (entry.at, entry.rank), reverse=True)
    page = found[skip : skip + ENTRIES_PER_PAGE]
    more = len(found) > skip + ENTRIES_PER_PAGE
    following = _build_cursor(page, cursor).build_query(words=words) if more else ""
    return ActivityPage(page, words, following)


def _build_cursor(page: list[ActivityEntry], cursor: ActivityCursor | None) -> ActivityCursor:
    last = page[-1].at
    shown = sum(entry.at == last for entry in page)
    return ActivityCursor(last, shown + (cursor.shown if cursor and cursor.at == last else 0))


def _load_log_entries(
    words: str, cursor: ActivityCursor | None, *, limit: int
) -> Iterable[ActivityEntry]:
    condition = Q(action_time__lte=cursor.at) if cursor else Q()
    if words:
        condition &= Q(user__username__iexact=words) | Q(object_repr__icontains=words)
    found = LogEntry.objects.filter(condition).select_related("user", "content_type")
    for entry in found.order_by("-action_time", "-id")[:limit]:
        kind = str(entry.content_type.name).capitalize() if entry.content_type else ""
        yield ActivityEntry(
            at=entry.action_time,
            rank=(0, entry.pk),
            who=entry.user.get_username(),
            door="",
            subject=": ".join(filter(None, (kind, entry.object_repr))),
            address=reverse("admin:admin_logentry_change", args=[entry.pk]),
            said=entry.get_change_message() or entry.get_action_flag_display(),
        )


def _load_order_entries(
    words: str, cursor: ActivityCursor | None, *, limit: int
) -> Iterable[ActivityEntry]:
    """Yield decisions about orders; what a decision includes, such as the hold, is left out."""
    condition = Q(actor_kind__in=_PERSONS)
    condition &= ~Q(action=OrderAction.HELD)
    condition &= ~Q(action=OrderAction.PLACED, order__contact=None)
    if cursor:
        condition &= Q(at__lte=cursor.at)
    if words:
        condition &= Q(actor_label__iexact=words) | Q(order__code=words.upper())
    found = OrderEvent.objects.filter(condition).select_related("order__raffle")
    for event in found.order_by("-at", "-id")[:limit]:
        cash = event.order.contact_id is None and event.action == OrderAction.PAID
        said = "Sold for cash" if cash else ACTION_LABELS[OrderAction(event.action)]
        yield ActivityEntry(
            at=event.at,
            rank=(1, event.pk),
            who=event.actor_label,
            door=_describe_door(event.actor_kind),
            subject=f"Order: {event.order.code}, {event.order.raffle}",
            address=reverse("admin:raffles_order_change", args=[event.order_id]),
            said=": ".join(filter(None, (said, event.reason))),
        )


def _load_raffle_entries(
    words: str, cursor: ActivityCursor | None, *, limit: int
) -> Iterable[ActivityEntry]:
    """Yield what tokens did to raffles; what users did is in the admin log."""
    condition = Q(actor_kind=ActorKind.TOKEN)
    if cursor:
        condition &= Q(at__lte=cursor.at)
    if words:
        condition &= Q(actor_label__iexact=words) | Q(raffle__title__icontains=words)
    found = RaffleEvent.objects.filter(condition).select_related("raffle")
    for event in found.order_by("-at", "-id")[:limit]:
        said = RAFFLE_ACTION_LABELS[RaffleAction(event.action)]
        yield ActivityEntry(
            at=event.at,
            rank=(2, event.pk),
            who=event.actor_label,
            door=_describe_door(event.actor_kind),
            subject=f"Raffle: {event.raffle}",
            address=reverse("admin:raffles_raffle_change", args=[event.raffle_id]),
            said=": ".join(filter(None, (said, event.reason))),
        )


def _describe_door(kind: str) -> str:
    return ACTOR_LABELS[ActorKind.TOKEN] if kind == ActorKind.TOKEN else ""
