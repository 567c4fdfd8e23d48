"""Tests of the results of sending: accepted, refused, unknown or not reached."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.constants import MAX_UNKNOWN_RESENDS, UNKNOWN_SEND_WAIT
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import Alarm, BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import outbox_queue, send_results
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.whatsapp.outbox_builders import (
    LEASE_FOR,
    claim_message,
    claim_messages,
    queue_message,
    record_sent,
)

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def record_failure(
    claimed: ClaimedMessage, reaction: FailureReaction, *, alarm: bool = False, **others: Any
) -> None:
    """Record that Meta refused a message with an error of this kind."""
    send_results.record_failure(
        claimed,
        judgement=Judgement(reaction, "What it means.", alarm=alarm),
        code=others.get("code", 1),
        words="What Meta said.",
        now=others.get("now", NOON),
        jitter=0,
    )


def load_message() -> OutboundMessage:
    return OutboundMessage.objects.get()


def load_business_number() -> BusinessNumber:
    return BusinessNumber.objects.get(phone_number_id=PHONE_NUMBER_ID)


class TestRecordSent:
    def test_notes_the_id_and_ends_the_lease(self) -> None:
        queue_message(builders.create_contact(), error="earlier", error_code=1)

        record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)

        message = load_message()
        assert (message.status, message.wa_message_id) == (OutboxStatus.SENT, "wamid.1")
        assert (message.sent_at, message.attempts, message.lease) == (NOON, 1, None)
        assert (message.error, message.error_code) == ("", None)

    def test_counts_after_the_lease_ran_out_while_nobody_else_has_it(self) -> None:
        queue_message(builders.create_contact())
        claimed = claim_message()
        outbox_queue.settle_abandoned_sends(now=NOON + LEASE_FOR + SECOND)
        assert load_message().status == OutboxStatus.UNKNOWN

        record_sent(claimed, wa_message_id="wamid.1", now=NOON + 2 * MINUTE)

        assert load_message().status == OutboxStatus.SENT

    def test_does_not_count_once_another_has_the_lease(self) -> None:
        queue_message(builders.create_contact())
        old = claim_message()
        later = NOON + LEASE_FOR + SECOND
        outbox_queue.settle_abandoned_sends(now=later)
        outbox_queue.settle_abandoned_sends(now=later + UNKNOWN_SEND_WAIT)
        new = claim_message(now=later + UNKNOWN_SEND_WAIT)

        record_sent(old, wa_message_id="wamid.old", now=later)

        message = load_message()
        assert (message.status, message.lease) == (OutboxStatus.SENDING, new.lease)

    def test_ends_a_pause_and_resolves_its_alarm(self) -> None:
        queue_message(builders.create_contact())
        record_failure(claim_message(), FailureReaction.PAUSE, code=190)
        later = NOON + MINUTE

        record_sent(claim_message(now=later), wa_message_id="wamid.1", now=later)

        number = load_business_number()
        assert (number.paused_at, number.pause_code, number.pause_reason) == (None, None, "")
        assert Alarm.objects.get(key=f"paused:{PHONE_NUMBER_ID}").resolved_at == later


class TestRecordFailure:
    def test_tries_again_after_ever_longer_waits_and_then_gives_up(self) -> None:
        queue_message(builders.create_contact(last_inbound_at=NOON))
        moment, waits = NOON, []
        for _ in range(send_results.MAX_SEND_ATTEMPTS):
            record_failure(claim_message(now=moment), FailureReaction.RETRY, now=moment)
            if (due := load_message().next_attempt_at) is not None:
                waits.append((due - moment).total_seconds())
                assert claim_messages(now=due - SECOND) == []
                moment = due

        assert waits == [2, 8, 32, 128, 512, 900, 900]
        message = load_message()
        assert (message.status, message.error_code) == (OutboxStatus.FAILED, 1)
        assert message.error == "What it means. What Meta said."

    def test_slows_down_towards_one_buyer_as_meta_asks(self) -> None:
        contact = builders.create_contact(last_inbound_at=NOON)
        queue_message(contact)
        moment, waits = NOON, []
        for _ in range(4):
            record_failure(claim_message(now=moment), FailureReaction.RETRY_PAIR, now=moment)
            until = WhatsAppContact.objects.get().send_after
            assert until is not None
            waits.append((until - moment).total_seconds())
            moment = until

        assert waits == [1, 4, 16, 64]
        assert (load_message().status, load_message().attempts) == (OutboxStatus.QUEUED, 0)

    def test_slows_down_the_whole_number_without_counting_it(self) -> None:
        queue_message(builders.create_contact())

        record_failure(claim_message(), FailureReaction.RETRY_NUMBER)

        assert (load_message().status, load_message().attempts) == (OutboxStatus.QUEUED, 0)
        assert load_business_number().send_after == NOON + SECOND
        assert claim_messages() == []

    def test_says_so_when_meta_slows_a_number_down_until_one_goes_through(self) -> None:
        queue_message(builders.create_contact())
        record_failure(claim_message(), FailureReaction.RETRY_NUMBER, alarm=True, code=131048)
        assert "What Meta said." in Alarm.objects.get().detail

        record_sent(claim_message(now=NOON + MINUTE), wa_message_id="wamid.1", now=NOON + MINUTE)

        assert Alarm.objects.get().resolved_at == NOON + MINUTE

    def test_waits_for_a_status_when_it_may_have_arrived(self) -> None:
        queue_message(builders.create_contact())

        record_failure(claim_message(), FailureReaction.UNKNOWN)

        message = load_message()
        assert (message.status, message.unknown_sends) == (OutboxStatus.UNKNOWN, 1)
        assert message.next_attempt_at == NOON + UNKNOWN_SEND_WAIT

    @pytest.mark.parametrize(
        ("kind", "status"),
        [(OutboxKind.REPLY, OutboxStatus.STALE), (OutboxKind.NOTICE, OutboxStatus.WITHHELD)],
    )
    def test_keeps_a_notice_and_drops_a_reply_outside_the_window(
        self, kind: OutboxKind, status: OutboxStatus
    ) -> None:
        queue_message(builders.create_contact(), kind=kind)

        record_failure(claim_message(), FailureReaction.OUTSIDE_WINDOW, code=131047)

        assert load_message().status == status
        assert load_message().error_code == 131047

    def test_sends_it_at_once_if_the_buyer_wrote_meanwhile(self) -> None:
        queue_message(builders.create_contact(), kind=OutboxKind.NOTICE)
        claimed = claim_message()
        WhatsAppContact.objects.update(last_inbound_at=NOON)

        record_failure(claimed, FailureReaction.OUTSIDE_WINDOW, code=131047)

        assert load_message().status == OutboxStatus.QUEUED

    @pytest.mark.parametrize(
        ("kind", "alarm", "alarms"),
        [
            (OutboxKind.REPLY, False, 0),
            (OutboxKind.REPLY, True, 1),
            (OutboxKind.NOTICE, False, 1),
        ],
    )
    def test_gives_up_what_no_retry_cures_and_says_so_of_news(
        self, kind: OutboxKind, alarm: bool, alarms: int
    ) -> None:
        queue_message(builders.create_contact(), kind=kind)

        record_failure(claim_message(), FailureReaction.FAIL, alarm=alarm, code=131026)

        assert load_message().status == OutboxStatus.FAILED
        assert Alarm.objects.count() == alarms

    def test_pauses_the_number_and_keeps_the_message(self) -> None:
        queue_message(builders.create_contact())

        record_failure(claim_message(), FailureReaction.PAUSE, code=190, alarm=True)

        number = load_business_number()
        assert (number.paused_at, number.pause_code) == (NOON, 190)
        assert number.probe_at == NOON + MINUTE
        assert (load_message().status, load_message().attempts) == (OutboxStatus.QUEUED, 0)
        assert Alarm.objects.get().key == f"paused:{PHONE_NUMBER_ID}"

    @pytest.mark.parametrize("reaction", FailureReaction)
    def test_does_not_count_without_the_lease(self, reaction: FailureReaction) -> None:
        queue_message(builders.create_contact())
        claimed = claim_message()
        record_sent(claimed, wa_message_id="wamid.1", now=NOON)

        record_failure(claimed, reaction)

        assert load_message().status == OutboxStatus.SENT
        assert BusinessNumber.objects.count() == Alarm.objects.count() == 0


class TestRecordNotReached:
    def test_puts_it_back_in_order_and_makes_the_number_wait(self) -> None:
        contact = builders.create_contact()
        first = queue_message(contact)
        queue_message(contact)

        send_results.record_not_reached(claim_message(), now=NOON, jitter=0)

        assert claim_messages() == []
        assert claim_message(now=NOON + SECOND).id == first.pk
        assert OutboundMessage.objects.get(pk=first.pk).attempts == 0

    def test_sounds_an_alarm_when_it_lasts_and_resolves_it_afterwards(self) -> None:
        queue_message(builders.create_contact())
        moment = NOON
        for _ in range(6):
            send_results.record_not_reached(claim_message(now=moment), now=moment, jitter=0)
            moment = load_business_number().send_after or moment
        assert Alarm.objects.get().resolved_at is None

        record_sent(claim_message(now=moment), wa_message_id="wamid.1", now=moment)

        assert Alarm.objects.get().resolved_at == moment


class TestSweep:
    def test_makes_a_lease_that_ran_out_unknown(self) -> None:
        queue_message(builders.create_contact())
        claim_messages()

        assert outbox_queue.settle_abandoned_sends(now=NOON + LEASE_FOR) == 0
        assert outbox_queue.settle_abandoned_sends(now=NOON + LEASE_FOR + SECOND) == 1
        assert (load_message().status, load_message().unknown_sends) == (OutboxStatus.UNKNOWN, 1)

    def test_sends_again_what_stays_unknown_twice_and_then_gives_up(self) -> None:
        queue_message(builders.create_contact(last_inbound_at=NOON), kind=OutboxKind.NOTICE)
        moment, sends = NOON, 0
        while claimed := claim_messages(now=moment):
            sends += 1
            send_results.record_unknown(claimed[0], now=moment)
            assert outbox_queue.settle_abandoned_sends(now=moment + UNKNOWN_SEND_WAIT - SECOND) == 0
            moment += UNKNOWN_SEND_WAIT
            assert outbox_queue.settle_abandoned_sends(now=moment) == 1

        assert sends == 1 + MAX_UNKNOWN_RESENDS
        assert load_message().status == OutboxStatus.FAILED
        assert "without an answer" in load_message().error
        assert Alarm.objects.get().title == "A message could not be sent"

    def test_touches_nothing_else(self) -> None:
        for status in (OutboxStatus.QUEUED, OutboxStatus.SENT, OutboxStatus.WITHHELD):
            queue_message(builders.create_contact(), status=status)

        assert outbox_queue.settle_abandoned_sends(now=NOON + timedelta(days=1)) == 0


class TestOldestUnsent:
    def test_counts_whatever_a_buyer_may_wait_for(self) -> None:
        assert outbox_queue.get_oldest_unsent_age(now=NOON) is None
        queue_message(builders.create_contact(), created_at=NOON - MINUTE)
        queue_message(
            builders.create_contact(), created_at=NOON - 2 * MINUTE, status=OutboxStatus.UNKNOWN
        )
        queue_message(
            builders.create_contact(), created_at=NOON - 3 * MINUTE, status=OutboxStatus.SENT
        )

        assert outbox_queue.get_oldest_unsent_age(now=NOON) == 2 * MINUTE
