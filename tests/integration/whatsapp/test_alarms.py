"""Tests of alarms: one open alarm per trouble, counted up when it repeats."""

import pytest
from django.db import transaction

from shared.whatsapp.models import Alarm
from shared.whatsapp.services import alarms
from tests.builders import MINUTE, NOON
from tests.integration.concurrency import repeat_at_once


@pytest.mark.django_db
class TestSound:
    def test_opens_a_line(self) -> None:
        alarm = alarms.sound_alarm(
            "k", title="Trouble", detail="a\0b", phone_number_id="1", now=NOON
        )

        assert (alarm.title, alarm.detail, alarm.count) == ("Trouble", "ab", 1)
        assert (alarm.first_at, alarm.last_at, alarm.resolved_at) == (NOON, NOON, None)

    def test_counts_the_open_line_up_and_gives_it_the_newest_words(self) -> None:
        alarms.sound_alarm("k", title="Trouble", now=NOON)
        alarm = alarms.sound_alarm("k", title="More trouble", now=NOON + MINUTE)

        assert (alarm.title, alarm.count, alarm.first_at) == ("More trouble", 2, NOON)
        assert alarm.last_at == NOON + MINUTE

    def test_opens_another_line_after_the_first_was_resolved(self) -> None:
        alarms.sound_alarm("k", title="Trouble", now=NOON)

        assert alarms.resolve_alarm("k", by="rita", now=NOON + MINUTE) == 1
        assert alarms.resolve_alarm("k", by="rita", now=NOON + MINUTE) == 0
        assert alarms.sound_alarm("k", title="Again", now=NOON + 2 * MINUTE).count == 1
        assert Alarm.objects.filter(resolved_by="rita").count() == 1

    def test_cuts_what_no_column_holds(self) -> None:
        alarm = alarms.sound_alarm("k" * 500, title="t" * 500, now=NOON)

        assert (len(alarm.key), len(alarm.title)) == (120, 200)
        assert alarms.resolve_alarm("k" * 500, by="b" * 500, now=NOON) == 1


@pytest.mark.django_db(transaction=True)
class TestSoundAtOnce:
    def test_opens_one_line_and_spoils_no_transaction(self) -> None:
        def sound(_: int) -> None:
            with transaction.atomic():
                alarms.sound_alarm("k", title="Trouble", now=NOON)
                Alarm.objects.count()  # would raise in a broken transaction

        repeat_at_once(8, sound)

        assert Alarm.objects.get().count == 8
