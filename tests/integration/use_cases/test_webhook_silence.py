"""Tests of the alarm about a business number for which no webhook arrives."""

from datetime import datetime, timedelta

import pytest

from backoffice.messaging import business_numbers as number_pages
from shared.core.enums import EventType, RaffleStatus
from shared.events.models import Event
from shared.raffles.models import Raffle, TicketNumber
from shared.raffles.services import lifecycle
from shared.use_cases import webhook_silence
from shared.whatsapp.models import Alarm, BusinessNumber
from shared.whatsapp.services import alarms, business_numbers
from tests import builders
from tests.builders import NOON, PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
LIMIT = 24 * HOUR
OTHER_NUMBER = "2"


@pytest.fixture
def raffle() -> Raffle:
    """Return a raffle opened at noon; the business number was heard of an hour before."""
    business_numbers.record_webhook({PHONE_NUMBER_ID: "15550100000"}, now=NOON - HOUR)
    raffle = builders.create_raffle(numbers=10, status=RaffleStatus.DRAFT)
    return lifecycle.open_raffle(raffle.pk, by=builders.build_staff_actor(), now=NOON)


def check(now: datetime) -> list[str]:
    return webhook_silence.check_webhook_silence(limit=LIMIT, now=now)


def test_rings_once_and_ends_by_itself(raffle: Raffle) -> None:
    assert check(NOON + LIMIT - HOUR) == []  # silent for a day, but on sale for 23 hours
    assert check(NOON + LIMIT) == [PHONE_NUMBER_ID]
    assert check(NOON + LIMIT + HOUR) == []  # as would a second gateway

    alarm = Alarm.objects.get()
    assert (alarm.key, alarm.count) == (f"silent:{PHONE_NUMBER_ID}", 1)
    assert alarm.title == "Nothing has arrived from WhatsApp for 25 hours"
    assert "The last webhook for 15550100000 arrived at 2026-11-22 11:00 UTC" in alarm.detail
    [event] = Event.objects.filter(type=EventType.CHANNEL_ALERT)
    assert event.subject == alarm.key
    number = BusinessNumber.objects.get()
    assert number_pages.is_quiet(number, now=NOON + LIMIT)

    business_numbers.record_webhook({PHONE_NUMBER_ID: ""}, now=NOON + LIMIT + 2 * HOUR)
    assert check(NOON + LIMIT + 2 * HOUR) == []
    alarm.refresh_from_db()
    assert alarm.resolved_by == "a webhook arrived"
    assert check(NOON + 3 * LIMIT) == [PHONE_NUMBER_ID]  # the next silence


def test_a_person_who_resolves_it_is_left_alone_for_as_long(raffle: Raffle) -> None:
    check(NOON + LIMIT)
    alarms.close_alarm(Alarm.objects.get().pk, by="rita", now=NOON + LIMIT + HOUR)

    assert check(NOON + 2 * LIMIT) == []
    assert check(NOON + 2 * LIMIT + HOUR) == [PHONE_NUMBER_ID]


def test_only_a_number_that_was_heard_of_and_sells_can_be_silent(raffle: Raffle) -> None:
    late = NOON + 2 * LIMIT
    BusinessNumber.objects.create(phone_number_id=OTHER_NUMBER)  # a seller who just begins
    BusinessNumber.objects.create(phone_number_id="3", last_webhook_at=NOON - HOUR)  # not ours
    Raffle.objects.filter(pk=raffle.pk).update(phone_number_id=OTHER_NUMBER)
    assert check(late) == []  # the number that was heard of sells nothing

    Raffle.objects.filter(pk=raffle.pk).update(phone_number_id="")
    assert check(late) == [PHONE_NUMBER_ID]
    TicketNumber.objects.filter(raffle=raffle).update(status="SOLD")
    assert check(late) == []
    assert Alarm.objects.get().resolved_by == "nothing is on sale any more"

    TicketNumber.objects.filter(raffle=raffle).update(status="AVAILABLE")
    lifecycle.pause(raffle.pk, by=builders.build_staff_actor(), now=late)
    lifecycle.open_raffle(raffle.pk, by=builders.build_staff_actor(), now=late + LIMIT)
    assert check(late + LIMIT + HOUR) == []  # it was paused for a day
    assert check(late + 2 * LIMIT) == [PHONE_NUMBER_ID]
