"""Buyers who wait for a person, the longest wait first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet
from django.urls import reverse

from backoffice.messaging.contacts.replies import build_chat_url
from backoffice.ui import display
from shared.whatsapp import window
from shared.whatsapp.models import WhatsAppContact

PEOPLE_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class WaitingPerson:
    """A buyer who waits for a person.

    Attributes:
        name: the buyer.
        since: for how long: "12 min".
        page: the address of the chat.
        closed: whether WhatsApp allows no message now.

    """

    name: str
    since: str
    page: str
    closed: bool


@dataclass(frozen=True, slots=True)
class WaitingPeople:
    """The buyers who have waited longest, how many others wait, and the list of all of them."""

    shown: Sequence[WaitingPerson]
    count: int
    more: int
    address: str


def query_waiting_people() -> QuerySet[WhatsAppContact]:
    """Return the contacts that wait for a person; the partial index finds them.

    A blocked buyer is not among them: nobody can write to them.
    """
    waiting = WhatsAppContact.objects.filter(wants_person_at__isnull=False, is_blocked=False)
    return waiting.filter(joined_into=None, erased_at=None)


def load_waiting_people(*, count: int, now: datetime) -> WaitingPeople | None:
    """Return the buyers who wait for a person, in one query; None if nobody does.

    Args:
        count: How many wait, as they were counted before.
        now: The current time.

    """
    if not count:
        return None
    oldest = query_waiting_people().order_by("wants_person_at", "pk")[:PEOPLE_SHOWN]
    shown = [
        WaitingPerson(
            name=display.format_contact(contact),
            since=display.format_time_since(contact.wants_person_at, now=now),
            page=build_chat_url(contact.pk),
            closed=not window.is_window_open(contact.last_inbound_at, now=now),
        )
        for contact in oldest
        if contact.wants_person_at is not None
    ]
    listed = reverse("admin:whatsapp_whatsappcontact_changelist")
    return WaitingPeople(
        shown, count=count, more=max(0, count - len(shown)), address=f"{listed}?handover=waits"
    )
