"""Tests of e-mails to staff: who gets them, once, and again after a failure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import Group, User
from pytest_django import DjangoAssertNumQueries

from backoffice.accounts.roles import AUDITOR, REVIEWER, SELLER
from shared.raffles.models import Raffle
from shared.staff_mail import deliveries
from shared.staff_mail.deliveries import DueMail
from shared.staff_mail.models import StaffMailbox
from shared.staff_mail.situation import MailRules
from shared.use_cases import payments
from shared.whatsapp.models import Alarm
from shared.whatsapp.services import alarms
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.concurrency import run_at_once

pytestmark = pytest.mark.django_db

RULES: Final = MailRules(proof_wait=timedelta(minutes=15), repeat_after=timedelta(hours=4))


def create_staff(name: str, role: str = SELLER.name, **fields: Any) -> User:
    known: dict[str, Any] = {"email": f"{name}@example.com", "is_staff": True, **fields}
    user = User.objects.create_user(name, **known)
    user.groups.set(Group.objects.filter(name=role))
    return user


def create_waiting_proof(raffle: Raffle, number: int, *, at: datetime = NOON) -> None:
    order = sample_data.place_order(raffle, numbers=[number])
    sample_data.receive_proof(order, at=at)


def list_mails(now: datetime) -> list[DueMail]:
    return deliveries.list_due_mails(rules=RULES, now=now)


def send_all(now: datetime) -> list[str]:
    """Send what is due and record it; return the addresses."""
    sent = []
    for mail in list_mails(now):
        assert deliveries.claim_mail(mail, now=now)
        deliveries.record_sent(mail, now=now)
        sent.append(mail.address)
    return sent


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(time_zone="America/Bogota")


class TestRecipients:
    def test_are_told_what_they_may_decide_about(self, raffle: Raffle) -> None:
        for name, role in (("sally", SELLER), ("rita", REVIEWER), ("otto", AUDITOR)):
            create_staff(name, role.name)
        User.objects.create_superuser("olga", "olga@example.com")
        create_waiting_proof(raffle, 1)
        alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON)

        told = {mail.username: mail.situation for mail in list_mails(NOON + 15 * MINUTE)}

        assert sorted(told) == ["olga", "rita", "sally"]
        assert told["olga"] == told["sally"]
        assert [alarm.title for alarm in told["olga"].alarms] == ["Sending is paused"]
        assert told["rita"] == replace(told["olga"], alarms=())

    def test_need_an_address_a_login_and_the_wish(self, raffle: Raffle) -> None:
        create_staff("none", email="")
        create_staff("gone", is_active=False)
        create_staff("buyer", is_staff=False)
        silent = create_staff("silent")
        deliveries.switch_mail(silent.pk, on=False)
        create_waiting_proof(raffle, 1)

        assert list_mails(NOON + 20 * MINUTE) == []
        assert deliveries.count_recipients() == 0
        assert not deliveries.wants_mail(silent.pk)

        deliveries.switch_mail(silent.pk, on=True)

        assert [mail.username for mail in list_mails(NOON + 20 * MINUTE)] == ["silent"]
        assert deliveries.count_recipients() == 1


class TestNews:
    def test_is_a_proof_that_waits_too_long_with_all_that_wait(self, raffle: Raffle) -> None:
        create_staff("sally")
        other = builders.create_raffle(title="Boat Raffle")
        create_waiting_proof(other, 1, at=NOON + 5 * MINUTE)
        create_waiting_proof(raffle, 1)
        create_waiting_proof(raffle, 2, at=NOON + 10 * MINUTE)
        assert list_mails(NOON + 14 * MINUTE) == []

        [mail] = list_mails(NOON + 15 * MINUTE)

        proofs = mail.situation.proofs
        assert proofs is not None
        assert (proofs.count, proofs.oldest, proofs.newest) == (3, NOON, NOON + 10 * MINUTE)
        assert proofs.time_zone == "America/Bogota"
        assert proofs.by_raffle == (("Summer Raffle", 2), ("Boat Raffle", 1))

    def test_is_no_proof_that_waits_for_its_buyer(self, raffle: Raffle) -> None:
        create_staff("sally")
        order = sample_data.place_order(raffle, numbers=[1])
        sample_data.receive_proof(order, at=NOON)
        payments.ask_for_better_proof(
            order.pk, note="", by=builders.build_staff_actor(), now=NOON + MINUTE
        )

        assert list_mails(NOON + 60 * MINUTE) == []

    def test_is_told_once_for_many_proofs_and_again_while_they_wait(self, raffle: Raffle) -> None:
        create_staff("sally")
        create_waiting_proof(raffle, 1)
        sent = []
        for minutes in range(15, 10 * 60, 30):
            create_waiting_proof(raffle, 2 + minutes // 30, at=NOON + minutes * MINUTE)
            sent += [minutes for _ in send_all(NOON + minutes * MINUTE)]

        assert sent == [15, 15 + 240, 15 + 480]

    def test_begins_anew_when_all_that_was_told_is_decided(self, raffle: Raffle) -> None:
        create_staff("sally")
        first = sample_data.place_order(raffle, numbers=[1])
        sample_data.receive_proof(first, at=NOON)
        assert send_all(NOON + 15 * MINUTE) == ["sally@example.com"]
        payments.confirm_payment(first.pk, by=builders.build_staff_actor(), now=NOON + 16 * MINUTE)
        create_waiting_proof(raffle, 2, at=NOON + 20 * MINUTE)

        assert send_all(NOON + 30 * MINUTE) == []
        assert send_all(NOON + 35 * MINUTE) == ["sally@example.com"]

    def test_is_a_draw_with_its_date_or_sold_out(self) -> None:
        create_staff("sally")
        dated = builders.create_raffle(title="Dated", numbers=1, draw_at=NOON)
        sold = builders.create_raffle(
            title="Sold out", numbers=1, draw_at=None, draw_when_sold_out=True
        )
        assert send_all(NOON - MINUTE) == []
        order = sample_data.place_order(sold, numbers=[1])
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)

        [mail] = list_mails(NOON)

        assert [(draw.raffle_id, draw.draw_at) for draw in mail.situation.draws] == [
            (sold.pk, None),
            (dated.pk, NOON),
        ]
        assert send_all(NOON) == ["sally@example.com"]
        assert send_all(NOON + timedelta(days=3)) == []

    def test_is_an_alarm_once_and_a_new_one_of_the_same_kind_again(self) -> None:
        create_staff("sally")
        alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON)
        assert len(send_all(NOON)) == 1
        alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON + 60 * MINUTE)
        assert send_all(NOON + 60 * MINUTE) == []
        alarms.resolve_alarm("paused:1", by="olga", now=NOON + 60 * MINUTE)

        alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON + 90 * MINUTE)

        assert len(send_all(NOON + 90 * MINUTE)) == 1

    def test_a_flood_of_alarms_is_one_mail_a_quarter_of_an_hour(self) -> None:
        create_staff("sally")
        sent = 0
        for minute in range(0, 60, 3):
            alarms.sound_alarm(f"inbound_failed:{minute}", title="x", now=NOON)
            sent += len(send_all(NOON + minute * MINUTE))

        assert sent == 4


class TestOnceAmongGateways:
    @pytest.mark.django_db(transaction=True)
    def test_only_one_of_many_claims_a_mail(self, raffle: Raffle) -> None:
        create_staff("sally")
        create_waiting_proof(raffle, 1)
        now = NOON + 20 * MINUTE
        [mail] = list_mails(now)

        won = run_at_once([lambda: deliveries.claim_mail(mail, now=now)] * 6)

        assert sorted(won) == [False] * 5 + [True]
        assert list_mails(now) == []

    def test_a_decision_that_is_out_of_date_claims_nothing(self, raffle: Raffle) -> None:
        create_staff("sally")
        create_waiting_proof(raffle, 1)
        now = NOON + 20 * MINUTE
        [slow] = list_mails(now)
        send_all(now)

        assert not deliveries.claim_mail(slow, now=now)

    def test_a_process_that_dies_while_sending_loses_nothing(self, raffle: Raffle) -> None:
        create_staff("sally")
        create_waiting_proof(raffle, 1)
        now = NOON + 20 * MINUTE
        [mail] = list_mails(now)
        assert deliveries.claim_mail(mail, now=now)

        assert list_mails(now + deliveries.CLAIM_DURATION - MINUTE) == []
        assert len(list_mails(now + deliveries.CLAIM_DURATION)) == 1

    def test_switching_off_wins_over_a_mail_that_is_due(self, raffle: Raffle) -> None:
        sally = create_staff("sally")
        create_waiting_proof(raffle, 1)
        now = NOON + 20 * MINUTE
        [mail] = list_mails(now)

        deliveries.switch_mail(sally.pk, on=False)

        assert not deliveries.claim_mail(mail, now=now)


class TestFailure:
    def test_is_tried_again_later_and_later_with_an_alarm_until_it_works(
        self, raffle: Raffle
    ) -> None:
        sally = create_staff("sally")
        create_waiting_proof(raffle, 1)
        now, waits = NOON + 20 * MINUTE, []
        for _ in range(8):
            [mail] = list_mails(now)
            assert deliveries.claim_mail(mail, now=now)
            deliveries.record_failure(mail, reason="No answer.", now=now, jitter=0)
            assert list_mails(now) == []
            next_try = StaffMailbox.objects.get().next_try_at
            assert next_try is not None
            waits.append(int((next_try - now).total_seconds() // 60))
            now = next_try

        [alarm] = Alarm.objects.filter(resolved_at=None)
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        assert (alarm.key, alarm.count) == (f"staff_mail:{sally.pk}", 8)
        assert "sally@example.com" not in alarm.title + alarm.detail
        assert send_all(now) == ["sally@example.com"]
        assert not Alarm.objects.filter(resolved_at=None).exists()
        assert StaffMailbox.objects.get().failures == 0

    def test_is_not_told_by_mail(self) -> None:
        create_staff("sally")
        alarms.sound_alarm("staff_mail:7", title="E-mails do not reach otto", now=NOON)

        assert list_mails(NOON) == []


@pytest.mark.same_everywhere
def test_nothing_to_tell_costs_three_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    create_staff("sally")

    with django_assert_max_num_queries(3):
        assert list_mails(NOON) == []
