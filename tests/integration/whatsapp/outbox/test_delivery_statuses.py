"""Tests of delivery statuses: they only move forward, in any order and however early."""

from datetime import timedelta
from itertools import permutations

import pytest

from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.whatsapp.models import (
    Alarm,
    BusinessNumber,
    DeliveryStatus,
    OutboundMessage,
    WhatsAppContact,
)
from shared.whatsapp.services.outbox import delivery_statuses, outbox_queue
from shared.whatsapp.services.outbox.delivery_statuses import UNMATCHED_STATUSES_KEPT_FOR
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.cases import roll_back, walk_cases
from tests.integration.concurrency import repeat_at_once
from tests.integration.whatsapp.outbox_builders import (
    LEASE_FOR,
    claim_message,
    queue_message,
    record_sent,
)
from tests.integration.whatsapp.webhook_builders import build_status, build_webhook, store_webhooks

SECOND = timedelta(seconds=1)


def receive_status(
    name: str, *, wamid: str = "wamid.1", callback_data: str = "", code: int = 0
) -> None:
    """Store and apply one status webhook."""
    item = build_status(name, wamid=wamid, callback_data=callback_data, code=code)
    store_webhooks(build_webhook(statuses=[item]))
    delivery_statuses.apply_statuses(now=NOON, limit=100)


def create_sent_message(kind: OutboxKind = OutboxKind.REPLY) -> OutboundMessage:
    """Create a message that Meta accepted as `wamid.1`."""
    message = queue_message(builders.create_contact(), kind=kind)
    record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)
    return message


def reload_message(message: OutboundMessage) -> OutboundMessage:
    return OutboundMessage.objects.get(pk=message.pk)


@pytest.mark.django_db
class TestFurther:
    @walk_cases("order", permutations(["sent", "delivered", "read"]))
    @walk_cases("together", [True, False])
    @roll_back
    def test_ends_at_read_in_any_order(self, order: tuple[str, ...], together: bool) -> None:
        message = create_sent_message()

        if together:
            items = [build_status(name, wamid="wamid.1") for name in order]
            store_webhooks(build_webhook(statuses=items))
            assert delivery_statuses.apply_statuses(now=NOON, limit=100) == 3
        else:
            for name in order:
                receive_status(name)

        assert reload_message(message).delivery == MessageDeliveryStatus.READ
        assert not DeliveryStatus.objects.filter(applied_at=None).exists()

    @pytest.mark.parametrize("order", list(permutations(["failed", "delivered"])))
    def test_does_not_fail_what_arrived(self, order: tuple[str, ...]) -> None:
        message = create_sent_message(OutboxKind.NOTICE)

        for name in order:
            receive_status(name, code=131026 if name == "failed" else 0)

        assert reload_message(message).delivery == MessageDeliveryStatus.DELIVERED
        assert reload_message(message).error == ""

    @pytest.mark.parametrize("order", list(permutations(["failed", "sent"])))
    def test_keeps_why_it_failed_when_it_was_sent_and_did_not_arrive(
        self, order: tuple[str, ...]
    ) -> None:
        message = create_sent_message(OutboxKind.NOTICE)

        for name in order:
            receive_status(name, code=131026 if name == "failed" else 0)

        assert reload_message(message).error_code == 131026
        assert Alarm.objects.count() == 1

    def test_knows_nothing_of_a_word_that_meta_may_yet_invent(self) -> None:
        message = create_sent_message()

        receive_status("teleported")

        assert reload_message(message).delivery == ""
        assert DeliveryStatus.objects.get().applied_at == NOON

    def test_applies_each_status_once(self) -> None:
        create_sent_message()
        store_webhooks(build_webhook(statuses=[build_status("read", wamid="wamid.1")]))

        assert delivery_statuses.apply_statuses(now=NOON, limit=100) == 1
        assert delivery_statuses.apply_statuses(now=NOON, limit=100) == 0


@pytest.mark.django_db
class TestEarlyAndLate:
    def test_settles_a_message_before_our_own_record(self) -> None:
        message = queue_message(builders.create_contact())
        claimed = claim_message()

        receive_status("sent", callback_data=str(message.callback_data))
        record_sent(claimed, wa_message_id="wamid.1", now=NOON)

        message = reload_message(message)
        assert (message.status, message.wa_message_id) == (OutboxStatus.SENT, "wamid.1")
        assert (message.delivery, message.lease) == (MessageDeliveryStatus.SENT, None)

    @pytest.mark.parametrize("name", ["sent", "delivered", "read", "failed"])
    def test_settles_a_message_whose_lease_ran_out(self, name: str) -> None:
        message = queue_message(builders.create_contact())
        claim_message()
        outbox_queue.settle_abandoned_sends(now=NOON + LEASE_FOR + SECOND)

        receive_status(name, callback_data=str(message.callback_data), code=131026)

        message = reload_message(message)
        assert (message.status, message.wa_message_id) == (OutboxStatus.SENT, "wamid.1")
        assert message.delivery == name
        assert outbox_queue.settle_abandoned_sends(now=NOON + timedelta(hours=1)) == 0

    def test_settles_a_message_that_was_about_to_be_sent_again(self) -> None:
        message = queue_message(builders.create_contact(), unknown_sends=1)

        receive_status("sent", callback_data=str(message.callback_data))

        assert reload_message(message).status == OutboxStatus.SENT

    def test_matches_by_metas_id_once_that_is_known(self) -> None:
        message = queue_message(builders.create_contact())
        claimed = claim_message()
        receive_status("delivered")
        assert reload_message(message).delivery == ""

        record_sent(claimed, wa_message_id="wamid.1", now=NOON)
        delivery_statuses.apply_statuses(now=NOON + MINUTE, limit=100)

        assert reload_message(message).delivery == MessageDeliveryStatus.DELIVERED

    def test_ignores_the_failure_of_an_earlier_copy(self) -> None:
        message = create_sent_message()

        receive_status(
            "failed", wamid="wamid.0", callback_data=str(message.callback_data), code=131026
        )

        assert (reload_message(message).delivery, reload_message(message).error) == ("", "")

    def test_looks_for_orphans_ever_more_rarely_and_gives_them_up_after_eight_days(self) -> None:
        store_webhooks(
            build_webhook(statuses=[build_status("sent", wamid="wamid.of-another-system")])
        )
        moment, looks = NOON, 0
        while not DeliveryStatus.objects.exclude(applied_at=None).exists():
            looks += delivery_statuses.apply_statuses(now=moment, limit=100)
            moment = DeliveryStatus.objects.get().next_attempt_at

        given_up = DeliveryStatus.objects.get().applied_at
        assert given_up is not None
        assert given_up - NOON >= UNMATCHED_STATUSES_KEPT_FOR
        assert looks < 30

    def test_reaches_new_statuses_behind_many_orphans(self) -> None:
        message = create_sent_message()
        orphans = [build_status("sent", wamid=f"wamid.other{n}") for n in range(50)]
        store_webhooks(build_webhook(statuses=orphans))
        delivery_statuses.apply_statuses(now=NOON, limit=100)
        store_webhooks(build_webhook(statuses=[build_status("read", wamid="wamid.1")]))

        assert delivery_statuses.apply_statuses(now=NOON, limit=1) == 1

        assert reload_message(message).delivery == MessageDeliveryStatus.READ


@pytest.mark.django_db
class TestFailed:
    def test_says_why_and_sounds_an_alarm_for_news(self) -> None:
        message = create_sent_message(OutboxKind.NOTICE)

        receive_status("failed", code=131026)

        message = reload_message(message)
        assert (message.status, message.delivery) == (
            OutboxStatus.SENT,
            MessageDeliveryStatus.FAILED,
        )
        assert message.error_code == 131026
        assert "Refused" in message.error
        assert Alarm.objects.get().key == "not_sent:131026"

    def test_sounds_no_alarm_for_a_reply(self) -> None:
        create_sent_message()

        receive_status("failed", code=131026)

        assert Alarm.objects.count() == 0

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [(OutboxKind.REPLY, OutboxStatus.STALE), (OutboxKind.NOTICE, OutboxStatus.WITHHELD)],
    )
    def test_keeps_a_notice_and_drops_a_reply_outside_the_window(
        self, kind: OutboxKind, expected: OutboxStatus
    ) -> None:
        message = create_sent_message(kind)

        receive_status("failed", code=131047)

        assert reload_message(message).status == expected

    def test_sends_a_withheld_notice_once_more_when_the_buyer_writes(self) -> None:
        message = create_sent_message(OutboxKind.NOTICE)
        receive_status("failed", code=131047)
        contact = WhatsAppContact.objects.get()

        assert outbox_queue.release_withheld_messages(contact, now=NOON) == 1
        receive_status("sent", callback_data=str(message.callback_data))

        assert (reload_message(message).status, reload_message(message).delivery) == (
            OutboxStatus.QUEUED,
            "",
        )
        claimed = claim_message()
        assert claimed.id == message.pk
        record_sent(claimed, wa_message_id="wamid.2", now=NOON)
        receive_status("delivered", wamid="wamid.2")
        assert reload_message(message).delivery == MessageDeliveryStatus.DELIVERED
        assert reload_message(message).wa_message_id == "wamid.2"

    def test_queues_a_notice_at_once_if_the_buyer_has_written_since(self) -> None:
        message = create_sent_message(OutboxKind.NOTICE)
        WhatsAppContact.objects.update(last_inbound_at=NOON + SECOND)

        receive_status("failed", code=131047)

        assert reload_message(message).status == OutboxStatus.QUEUED

    def test_pauses_the_number_over_trouble_with_the_account(self) -> None:
        create_sent_message()

        receive_status("failed", code=131031)

        number = BusinessNumber.objects.get(phone_number_id=PHONE_NUMBER_ID)
        assert (number.paused_at, number.pause_code) == (NOON, 131031)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_several_gateways_share_the_work(self) -> None:
        for _ in range(12):
            queue_message(builders.create_contact())
        messages = list(OutboundMessage.objects.order_by("pk"))
        items = [
            build_status(name, wamid=f"wamid.{one.pk}", callback_data=str(one.callback_data))
            for one in messages
            for name in ("read", "sent", "delivered")
        ]
        OutboundMessage.objects.update(unknown_sends=1)
        store_webhooks(build_webhook(statuses=items))

        def work(_: int) -> int:
            return sum(delivery_statuses.apply_statuses(now=NOON, limit=5) for _ in range(8))

        repeat_at_once(4, work)
        delivery_statuses.apply_statuses(now=NOON, limit=100)

        assert {one.delivery for one in OutboundMessage.objects.all()} == {
            MessageDeliveryStatus.READ
        }
        assert not DeliveryStatus.objects.filter(applied_at=None).exists()
