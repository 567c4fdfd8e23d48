"""Tests of message claims: one gateway, the buyer's order, the window and pauses."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.models import Alarm, BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import outbox_queue
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.concurrency import repeat_at_once
from tests.integration.whatsapp.outbox_builders import (
    LEASE_FOR,
    claim_message,
    claim_messages,
    list_ids,
    queue_message,
    record_sent,
)
from tests.integration.whatsapp.webhook_builders import wait_for_blocked_lock
from tests.waiting import PATIENCE

DAY = timedelta(days=1)


def load_status(message: OutboundMessage) -> str:
    return OutboundMessage.objects.get(pk=message.pk).status


@pytest.mark.django_db
class TestOrder:
    def test_gives_each_contact_its_oldest_message(self) -> None:
        one, other = builders.create_contact(), builders.create_contact()
        first, _second = queue_message(one), queue_message(one)
        third = queue_message(other)

        assert list_ids(claim_messages()) == [first.pk, third.pk]
        assert claim_messages() == []

    def test_gives_the_next_after_the_first_was_sent(self) -> None:
        contact = builders.create_contact()
        queue_message(contact)
        second = queue_message(contact)

        record_sent(claim_message(), wa_message_id="wamid.1", now=NOON)

        assert claim_message().id == second.pk

    def test_waits_behind_a_message_that_is_tried_again_later(self) -> None:
        contact = builders.create_contact()
        first = queue_message(contact, next_attempt_at=NOON + MINUTE)
        queue_message(contact)

        assert claim_messages() == []
        assert list_ids(claim_messages(now=NOON + MINUTE)) == [first.pk]

    def test_lets_a_reply_pass_a_message_whose_fate_is_unknown(self) -> None:
        contact = builders.create_contact()
        queue_message(contact, status=OutboxStatus.UNKNOWN, next_attempt_at=NOON + MINUTE)
        second = queue_message(contact)

        assert claim_message().id == second.pk

    def test_sends_nothing_again_while_another_to_the_same_buyer_is_under_way(self) -> None:
        contact = builders.create_contact()
        first = queue_message(contact, status=OutboxStatus.UNKNOWN, next_attempt_at=NOON)
        queue_message(contact)
        under_way = claim_message()

        outbox_queue.settle_abandoned_sends(now=NOON)

        assert claim_messages() == []
        record_sent(under_way, wa_message_id="wamid.2", now=NOON)
        assert claim_message().id == first.pk

    def test_leaves_out_whom_the_caller_names(self) -> None:
        busy, idle = builders.create_contact(), builders.create_contact()
        queue_message(busy)
        message = queue_message(idle)

        assert list_ids(claim_messages(skip_contacts=[busy.pk])) == [message.pk]

    def test_claims_no_more_than_asked(self) -> None:
        messages = [queue_message(builders.create_contact()) for _ in range(3)]

        assert list_ids(claim_messages(limit=2)) == [messages[0].pk, messages[1].pk]


@pytest.mark.django_db
class TestClaimed:
    def test_is_the_whole_body_for_the_graph_api(self) -> None:
        contact = builders.create_contact(wa_id="15550100001", user_id="US.1")
        message = queue_message(contact)

        claimed = claim_message()

        assert claimed.body["to"] == "+15550100001"
        assert claimed.body["biz_opaque_callback_data"] == str(message.callback_data)
        assert claimed.body["text"] == message.payload["text"]
        assert (claimed.contact_id, claimed.phone_number_id) == (contact.pk, PHONE_NUMBER_ID)
        message.refresh_from_db()
        assert (message.status, message.lease) == (OutboxStatus.SENDING, claimed.lease)
        assert message.lease_until == NOON + LEASE_FOR

    def test_goes_to_the_user_id_of_a_buyer_without_a_phone(self) -> None:
        queue_message(builders.create_contact(wa_id=None, user_id="US.1"))

        assert claim_message().body["recipient"] == "US.1"

    def test_goes_to_the_user_id_when_the_phone_may_be_somebody_elses(self) -> None:
        queue_message(
            builders.create_contact(wa_id="15550100001", user_id="US.1", identity_conflict=True)
        )

        body = claim_message().body
        assert body["recipient"] == "US.1"
        assert "to" not in body

    def test_gives_up_a_buyer_who_cannot_be_written_to_and_goes_on_with_others(self) -> None:
        lost, message = (
            queue_message(builders.create_contact(wa_id="nonsense")),
            queue_message(builders.create_contact()),
        )

        assert claim_message().id == message.pk
        assert load_status(lost) == OutboxStatus.FAILED
        assert Alarm.objects.count() == 1


@pytest.mark.django_db
class TestWindow:
    def test_goes_on_past_any_number_of_buyers_whose_window_is_closed(self) -> None:
        for _ in range(5):
            queue_message(builders.create_contact(last_inbound_at=NOON - DAY))
        message = queue_message(builders.create_contact())

        assert list_ids(claim_messages(limit=2)) == [message.pk]

    def test_drops_replies_and_withholds_notices_once_it_is_closed(self) -> None:
        contact = builders.create_contact(last_inbound_at=NOON - DAY)
        reply, notice = queue_message(contact), queue_message(contact, kind=OutboxKind.NOTICE)
        later_reply = queue_message(contact)

        assert claim_messages() == []
        assert load_status(reply) == load_status(later_reply) == OutboxStatus.STALE
        assert load_status(notice) == OutboxStatus.WITHHELD

    def test_counts_as_closed_for_a_buyer_who_never_wrote(self) -> None:
        notice = queue_message(
            builders.create_contact(last_inbound_at=None), kind=OutboxKind.NOTICE
        )

        assert claim_messages() == []
        assert load_status(notice) == OutboxStatus.WITHHELD

    def test_does_not_hold_up_other_buyers(self) -> None:
        queue_message(builders.create_contact(last_inbound_at=NOON - DAY))
        message = queue_message(builders.create_contact())

        assert claim_message().id == message.pk

    def test_releases_withheld_notices_ahead_of_the_answer(self) -> None:
        contact = builders.create_contact(last_inbound_at=NOON - DAY)
        notice = queue_message(contact, kind=OutboxKind.NOTICE)
        claim_messages()
        WhatsAppContact.objects.update(last_inbound_at=NOON)
        contact.refresh_from_db()
        reply = queue_message(contact)

        assert outbox_queue.release_withheld_messages(contact, now=NOON) == 1
        claimed = claim_message()
        assert claimed.id == notice.pk
        record_sent(claimed, wa_message_id="wamid.1", now=NOON)
        assert claim_message().id == reply.pk

    def test_releases_nothing_of_others_and_nothing_twice(self) -> None:
        contact = builders.create_contact()
        queue_message(
            builders.create_contact(), kind=OutboxKind.NOTICE, status=OutboxStatus.WITHHELD
        )

        assert outbox_queue.release_withheld_messages(contact, now=NOON) == 0


@pytest.mark.django_db
class TestPauses:
    def test_waits_while_meta_wants_a_pause_towards_a_buyer(self) -> None:
        message = queue_message(builders.create_contact(send_after=NOON + MINUTE, pair_rate_hits=2))

        assert claim_messages() == []
        claimed = claim_message(now=NOON + MINUTE)
        record_sent(claimed, wa_message_id="wamid.1", now=NOON + MINUTE)

        contact = WhatsAppContact.objects.get(pk=message.contact_id)
        assert (contact.send_after, contact.pair_rate_hits) == (None, 0)

    def test_waits_while_a_number_is_to_slow_down(self) -> None:
        business_numbers.slow_down_sending(PHONE_NUMBER_ID, now=NOON, jitter=0)
        queue_message(builders.create_contact())
        other = queue_message(builders.create_contact(phone_number_id="2"))

        assert list_ids(claim_messages()) == [other.pk]
        record_sent(claim_message(now=NOON + MINUTE), wa_message_id="wamid.1", now=NOON + MINUTE)

        number = BusinessNumber.objects.get()
        assert (number.throttle_hits, number.send_after) == (0, None)

    def test_tries_one_message_a_minute_while_a_number_is_paused(self) -> None:
        first, second = (
            queue_message(builders.create_contact()),
            queue_message(builders.create_contact()),
        )
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token ran out.", now=NOON
        )

        assert claim_messages() == []
        assert list_ids(claim_messages(now=NOON + MINUTE)) == [first.pk]
        assert claim_messages(now=NOON + MINUTE) == []
        assert list_ids(claim_messages(now=NOON + 2 * MINUTE)) == [second.pk]

    def test_tries_a_paused_number_also_while_others_have_much_to_send(self) -> None:
        for _ in range(3):
            queue_message(builders.create_contact(phone_number_id="2"))
        probe = queue_message(builders.create_contact())
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token ran out.", now=NOON
        )

        claimed = list_ids(claim_messages(now=NOON + MINUTE, limit=2))

        assert len(claimed) == 2
        assert probe.pk in claimed

    def test_slows_down_longer_each_time_but_once_for_what_fails_together(self) -> None:
        moment, waits = NOON, []
        for _ in range(5):
            business_numbers.slow_down_sending(PHONE_NUMBER_ID, now=moment, jitter=0)
            business_numbers.slow_down_sending(PHONE_NUMBER_ID, now=moment, jitter=0)
            until = BusinessNumber.objects.get().send_after
            assert until is not None
            waits.append((until - moment).total_seconds())
            moment = until

        assert waits == [1, 2, 4, 8, 16]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_gateways_never_claim_the_same_message(self) -> None:
        buyers = [builders.create_contact() for _ in range(40)]
        for buyer in buyers:
            queue_message(buyer)
            queue_message(buyer)

        def work(_: int) -> list[int]:
            mine = []
            for _round in range(8):
                taken = claim_messages(limit=7)
                mine += list_ids(taken)
                for one in taken:
                    record_sent(one, wa_message_id=f"wamid.{one.id}", now=NOON)
            return mine

        claimed = [pk for mine in repeat_at_once(4, work) for pk in mine]
        while rest := claim_messages(limit=100):
            for one in rest:
                record_sent(one, wa_message_id=f"wamid.{one.id}", now=NOON)
            claimed += list_ids(rest)

        assert len(claimed) == len(set(claimed)) == 80
        assert OutboundMessage.objects.filter(status=OutboxStatus.SENT).count() == 80

    def test_one_gateway_gets_the_probe_of_a_paused_number(self) -> None:
        for _ in range(6):
            queue_message(builders.create_contact())
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token ran out.", now=NOON
        )

        claimed = repeat_at_once(6, lambda _: claim_messages(now=NOON + MINUTE))
        later = repeat_at_once(
            6, lambda _: business_numbers.claim_probe(PHONE_NUMBER_ID, now=NOON + 2 * MINUTE)
        )

        assert sum(len(mine) for mine in claimed) == 1
        assert later.count(True) == 1

    def test_withholds_nothing_from_a_buyer_who_writes_just_now(self, vendor: str) -> None:
        if vendor == "sqlite":
            pytest.skip("SQLite has one lock for everything")
        contact = builders.create_contact(last_inbound_at=NOON - DAY)
        notice = queue_message(contact, kind=OutboxKind.NOTICE)

        def claim_elsewhere() -> list[int]:
            try:
                return list_ids(claim_messages())
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                buyer = contacts.lock_contact(contact.pk)
                claiming = pool.submit(claim_elsewhere)
                wait_for_blocked_lock()
                buyer.last_inbound_at = NOON
                buyer.save()
            claiming.result(timeout=PATIENCE)

        assert load_status(notice) in {OutboxStatus.QUEUED, OutboxStatus.SENDING}
