"""Tests of manual retries: failed messages, failed answers, paused numbers, blocked buyers."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core.enums import InboxStatus, MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.core.errors import DomainError
from shared.raffles.models import PaymentProof
from shared.whatsapp.errors import (
    AlarmResolved,
    BusinessNumberSends,
    MessageAnswered,
    MessageNotFailed,
)
from shared.whatsapp.models import Alarm, BusinessNumber, InboundMessage, OutboundMessage
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.inbox import contacts, inbox_queue
from shared.whatsapp.services.outbox import delivery_statuses, outbox_queue
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.concurrency import repeat_at_once
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.outbox_builders import (
    claim_message,
    claim_messages,
    list_ids,
    queue_message,
    record_sent,
)
from tests.integration.whatsapp.webhook_builders import build_status, build_webhook, store_webhooks

SECOND = timedelta(seconds=1)
FAILED: dict[str, Any] = {
    "status": OutboxStatus.FAILED,
    "error": "Refused.",
    "error_code": 131026,
    "attempts": 3,
}
UNDELIVERED: dict[str, Any] = {
    "status": OutboxStatus.SENT,
    "delivery": MessageDeliveryStatus.FAILED,
    "wa_message_id": "w.1",
}


@pytest.mark.django_db
class TestSendAgain:
    @pytest.mark.parametrize("trouble", [FAILED, UNDELIVERED])
    def test_queues_it_as_if_never_tried_before_anything_newer(
        self, trouble: dict[str, Any]
    ) -> None:
        buyer = builders.create_contact()
        failed = queue_message(buyer, **trouble)
        queue_message(buyer)

        again = outbox_queue.resend_message(failed.pk)

        assert (again.status, again.attempts, again.error) == (OutboxStatus.QUEUED, 0, "")
        assert (again.error_code, again.delivery, again.wa_message_id) == (None, "", "")
        assert list_ids(claim_messages()) == [failed.pk]

    @pytest.mark.parametrize("state", sorted(set(OutboxStatus) - {OutboxStatus.FAILED}))
    def test_refuses_what_did_not_fail(self, state: OutboxStatus) -> None:
        lease: dict[str, Any] = {"lease": "5e" * 16, "lease_until": NOON + MINUTE}
        message = queue_message(
            builders.create_contact(),
            status=state,
            delivery=MessageDeliveryStatus.DELIVERED,
            **lease,
        )

        with pytest.raises(MessageNotFailed):
            outbox_queue.resend_message(message.pk)

        message.refresh_from_db()
        assert message.status == state

    def test_lets_the_window_judge_when_it_is_claimed(self) -> None:
        buyer = builders.create_contact(last_inbound_at=NOON - timedelta(days=2))
        news = queue_message(buyer, kind=OutboxKind.NOTICE, **FAILED)
        answer = queue_message(buyer, kind=OutboxKind.REPLY, **FAILED)
        for message in (news, answer):
            outbox_queue.resend_message(message.pk)

        assert claim_messages() == []

        news.refresh_from_db()
        answer.refresh_from_db()
        assert (news.status, answer.status) == (OutboxStatus.WITHHELD, OutboxStatus.STALE)

    def test_is_settled_by_the_first_copy_when_that_arrived_after_all(self) -> None:
        message = queue_message(
            builders.create_contact(), status=OutboxStatus.FAILED, unknown_sends=3
        )
        outbox_queue.resend_message(message.pk)

        news = build_status("delivered", wamid="w.1", callback_data=str(message.callback_data))
        store_webhooks(build_webhook(statuses=[news]))
        delivery_statuses.apply_statuses(now=NOON, limit=10)

        message.refresh_from_db()
        assert (message.status, message.delivery) == (
            OutboxStatus.SENT,
            MessageDeliveryStatus.DELIVERED,
        )
        assert claim_messages() == []


@pytest.mark.django_db
class TestAnswerAgain:
    def mark_failed(self, message: InboundMessage) -> InboundMessage:
        message.status, message.attempts, message.error = InboxStatus.FAILED, 5, "KeyError"
        message.processed_at = NOON
        message.save()
        return message

    def test_answers_a_fresh_message_as_if_it_had_just_come(self) -> None:
        builders.create_raffle()
        chat = BuyerChat()
        message = self.mark_failed(chat.receives("text", {"text": {"body": "hi"}}))

        inbox_queue.requeue_failed_message(message.pk)
        chat.later(minutes=5)

        assert chat.answer_waiting()
        message.refresh_from_db()
        assert (message.status, message.error) == (InboxStatus.PROCESSED, "")
        with pytest.raises(MessageAnswered):
            inbox_queue.requeue_failed_message(message.pk)

    def test_keeps_a_payment_proof_however_old_it_is(self) -> None:
        builders.create_raffle()
        chat = BuyerChat()
        order = chat.buys()
        picture = {"image": {"id": "media1", "mime_type": "image/jpeg"}}
        message = self.mark_failed(chat.receives("image", picture))

        inbox_queue.requeue_failed_message(message.pk)
        chat.later(hours=3).answer_waiting()

        assert PaymentProof.objects.get().order == order


@pytest.mark.django_db
class TestTryNow:
    def test_gives_a_paused_number_its_one_try_at_once(self) -> None:
        message = queue_message(builders.create_contact())
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token expired.", now=NOON
        )
        assert claim_messages(now=NOON + SECOND) == []

        business_numbers.try_sending_now(PHONE_NUMBER_ID, now=NOON + SECOND)

        tried = claim_message(now=NOON + SECOND)
        assert tried.id == message.pk
        assert BusinessNumber.objects.get().paused_at == NOON
        record_sent(tried, wa_message_id="w.1", now=NOON + SECOND)
        assert BusinessNumber.objects.get().paused_at is None

    def test_ends_a_slow_down(self) -> None:
        queue_message(builders.create_contact())
        business_numbers.slow_down_sending(
            PHONE_NUMBER_ID, least=timedelta(hours=1), now=NOON, jitter=0
        )
        assert claim_messages(now=NOON + MINUTE) == []

        business_numbers.try_sending_now(PHONE_NUMBER_ID, now=NOON + MINUTE)

        record_sent(claim_message(now=NOON + MINUTE), wa_message_id="w.1", now=NOON)
        assert BusinessNumber.objects.get().throttle_hits == 0

    def test_refuses_while_the_number_sends(self) -> None:
        BusinessNumber.objects.create(phone_number_id=PHONE_NUMBER_ID)

        with pytest.raises(BusinessNumberSends):
            business_numbers.try_sending_now(PHONE_NUMBER_ID, now=NOON)


@pytest.mark.django_db
class TestBlock:
    def test_says_whether_it_changed_anything(self) -> None:
        buyer = builders.create_contact()

        assert contacts.block_contact(buyer.pk)
        assert not contacts.block_contact(buyer.pk)
        buyer.refresh_from_db()
        assert buyer.is_blocked
        assert contacts.unblock_contact(buyer.pk)
        assert not contacts.unblock_contact(buyer.pk)

    def test_answers_nothing_until_they_are_unblocked(self) -> None:
        builders.create_raffle()
        chat = BuyerChat()
        chat.buys()
        contacts.block_contact(chat.contact.pk)

        assert chat.says("help") == []

        contacts.unblock_contact(chat.contact.pk)
        assert chat.says("help") != []


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_send_again_queues_it_once(self) -> None:
        message = queue_message(builders.create_contact(), **FAILED)

        done = repeat_at_once(
            4, lambda _: describe_outcome(lambda: outbox_queue.resend_message(message.pk))
        )

        assert sorted(done) == ["done", *["message_not_failed"] * 3]
        assert OutboundMessage.objects.get().status == OutboxStatus.QUEUED

    def test_close_an_alarm_names_one_person(self) -> None:
        alarm = alarms.sound_alarm("k", title="Trouble", now=NOON)

        done = repeat_at_once(
            4,
            lambda turn: describe_outcome(
                lambda: alarms.close_alarm(alarm.pk, by=f"rita{turn}", now=NOON)
            ),
        )

        assert sorted(done) == [*["alarm_resolved"] * 3, "done"]
        assert Alarm.objects.get().resolved_by == f"rita{done.index('done')}"
        with pytest.raises(AlarmResolved) as refused:
            alarms.close_alarm(alarm.pk, by="late", now=NOON)
        assert refused.value.details["by"] == f"rita{done.index('done')}"


def describe_outcome(act: object) -> str:
    """Return "done" or the code of the refusal."""
    assert callable(act)
    try:
        act()
    except DomainError as refusal:
        return refusal.code
    return "done"
