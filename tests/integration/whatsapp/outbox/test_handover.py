"""Tests of messages from the transaction that queues them to the wire: reservations and marks."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from shared.core.constants import UNKNOWN_SEND_WAIT
from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp import messages
from shared.whatsapp.models import BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import business_numbers
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import message_claims, outbox_queue, send_marks
from shared.whatsapp.services.outbox.message_claims import RESERVED_FOR, ClaimedMessage
from shared.whatsapp.services.outbox.send_marks import SentMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.concurrency import run_at_once
from tests.integration.whatsapp.outbox_builders import (
    LEASE_FOR,
    claim_messages,
    list_ids,
    queue_message,
    record_sent,
    start_sends,
)

LATER = NOON + RESERVED_FOR


def answer(
    *buyers: WhatsAppContact, replies: int = 1, lease: UUID | None = None
) -> list[ClaimedMessage]:
    """Queue replies to buyers and claim them in the same transaction, as answering does."""
    with transaction.atomic():
        locked = {buyer.pk: contacts.lock_contact(buyer.pk) for buyer in buyers}
        queued = [
            outbox_queue.enqueue_message(
                contact,
                messages.build_text(f"reply {serial}"),
                key="test",
                kind=OutboxKind.REPLY,
                now=NOON,
            )
            for contact in locked.values()
            for serial in range(replies)
        ]
        return message_claims.claim_queued(
            queued, contacts=locked, now=NOON, lease=lease or uuid4()
        )


def load(claimed: ClaimedMessage) -> OutboundMessage:
    return OutboundMessage.objects.get(pk=claimed.id)


@pytest.mark.django_db
class TestHandOver:
    def test_gives_all_replies_of_many_buyers_in_a_few_statements(self) -> None:
        buyers = [builders.create_contact() for _ in range(8)]
        buyers.append(builders.create_contact(wa_id="15559990001", user_id="US.1"))
        WhatsAppContact.objects.filter(user_id="US.1").update(identity_conflict=True)
        answer(*buyers[:1])  # compiled before it is counted
        OutboundMessage.objects.all().delete()

        with CaptureQueriesContext(connection) as queries:
            claimed = answer(*buyers, replies=2)

        rows = OutboundMessage.objects.order_by("pk")
        assert list_ids(claimed) == [row.pk for row in rows]
        assert {(row.status, row.lease, row.lease_until) for row in rows} == {
            (OutboxStatus.QUEUED, claimed[0].lease, LATER)
        }
        assert claimed[-1].body["recipient"] == "US.1"
        for row, one in zip(rows, claimed, strict=True):
            assert one.body["biz_opaque_callback_data"] == str(row.callback_data)
            assert one.body["text"] == row.payload["text"]
        written = [
            query["sql"]
            for query in queries
            if "outbound" in query["sql"] and not query["sql"].startswith("INSERT")
        ]
        assert len(written) == 2  # what is unsettled, and the reservation
        assert claim_messages() == []

    @pytest.mark.parametrize(
        "earlier",
        [
            {"status": OutboxStatus.QUEUED},
            {"status": OutboxStatus.QUEUED, "next_attempt_at": NOON + MINUTE},
            {
                "status": OutboxStatus.SENDING,
                "lease": UUID(int=1),
                "lease_until": NOON + MINUTE,
            },
            {"status": OutboxStatus.UNKNOWN, "next_attempt_at": NOON + MINUTE},
        ],
    )
    def test_waits_behind_an_earlier_message_that_may_still_be_sent(
        self, earlier: dict[str, Any]
    ) -> None:
        buyer, other = builders.create_contact(), builders.create_contact()
        queue_message(buyer, **earlier)
        queue_message(other, status=OutboxStatus.SENT)

        claimed = answer(buyer, other)

        assert [one.contact_id for one in claimed] == [other.pk]

    def test_waits_while_a_buyer_or_a_number_cannot_be_written_to(self) -> None:
        buyers = [
            builders.create_contact(last_inbound_at=NOON - timedelta(days=1)),
            builders.create_contact(last_inbound_at=None),
            builders.create_contact(send_after=NOON + MINUTE),
            builders.create_contact(wa_id="nonsense"),
            builders.create_contact(phone_number_id="2"),
            builders.create_contact(phone_number_id="3"),
        ]
        business_numbers.pause_sending("2", code=190, reason="The token ran out.", now=NOON)
        business_numbers.slow_down_sending("3", now=NOON, jitter=0)

        assert answer(*buyers, replies=2) == []

        WhatsAppContact.objects.filter(send_after=NOON + MINUTE).update(send_after=NOON)
        BusinessNumber.objects.filter(phone_number_id="3").update(send_after=NOON)
        OutboundMessage.objects.all().delete()
        slow_buyer, slow_number = answer(*buyers)
        assert slow_buyer.ends_contact_slow_down
        assert slow_number.ends_number_slow_down

    def test_of_nothing_asks_nothing(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            assert message_claims.claim_queued([], contacts={}, now=NOON, lease=uuid4()) == []

        assert not queries.captured_queries


@pytest.mark.django_db
class TestReservation:
    def test_keeps_others_from_the_buyer_until_it_ends(self) -> None:
        buyer = builders.create_contact()
        resent = queue_message(buyer, status=OutboxStatus.FAILED)
        [reply] = answer(buyer)
        OutboundMessage.objects.filter(pk=resent.pk).update(status=OutboxStatus.QUEUED)
        later = queue_message(buyer)

        assert claim_messages() == []
        assert start_sends([reply]) == {reply.id}
        assert load(reply).status == OutboxStatus.SENDING
        assert load(reply).lease_until == NOON + LEASE_FOR
        assert claim_messages() == []
        record_sent(reply, wa_message_id="wamid.1", now=NOON)
        [earlier] = claim_messages()
        assert earlier.id == resent.pk
        record_sent(earlier, wa_message_id="wamid.2", now=NOON)
        assert list_ids(claim_messages()) == [later.pk]

    def test_of_a_gateway_that_died_before_sending_costs_seconds(self) -> None:
        [lost] = answer(builders.create_contact())

        assert claim_messages(now=LATER - timedelta(seconds=1)) == []
        [taken] = claim_messages(now=LATER)

        assert taken.id == lost.id
        assert start_sends([lost], now=LATER) == frozenset()  # it had only been slow
        record_sent(taken, wa_message_id="wamid.1", now=LATER)
        assert (load(lost).status, load(lost).attempts) == (OutboxStatus.SENT, 1)

    def test_of_a_gateway_that_died_while_sending_leaves_the_result_unknown(self) -> None:
        [lost] = answer(builders.create_contact())
        start_sends([lost])
        expired = NOON + LEASE_FOR + timedelta(seconds=1)

        assert outbox_queue.settle_abandoned_sends(now=expired) == 1
        assert load(lost).status == OutboxStatus.UNKNOWN
        assert claim_messages(now=expired) == []
        assert outbox_queue.settle_abandoned_sends(now=expired + UNKNOWN_SEND_WAIT) == 1
        [again] = claim_messages(now=expired + UNKNOWN_SEND_WAIT)
        assert again.id == lost.id

    def test_a_send_of_unknown_result_is_due_again_although_its_lease_goes_on(self) -> None:
        lease: dict[str, Any] = {"lease": uuid4(), "lease_until": NOON + MINUTE}
        message = queue_message(
            builders.create_contact(),
            status=OutboxStatus.UNKNOWN,
            next_attempt_at=NOON,
            **lease,
        )

        outbox_queue.settle_abandoned_sends(now=NOON)

        assert list_ids(claim_messages()) == [message.pk]

    def test_given_back_is_free_at_once_and_only_for_its_own_lease(self) -> None:
        first, second = answer(builders.create_contact(), builders.create_contact())
        OutboundMessage.objects.filter(pk=second.id).update(lease=uuid4())

        send_marks.write_marks(now=NOON, lease_for=LEASE_FOR, released=[second, first])

        assert list_ids(claim_messages()) == [first.id]


def claim_as_version_0_2(pk: int) -> None:
    """Claim a message as the former version does, which knows no reservations."""
    OutboundMessage.objects.filter(pk=pk, status=OutboxStatus.QUEUED).update(
        status=OutboxStatus.SENDING, lease=uuid4(), lease_until=NOON + MINUTE
    )


@pytest.mark.django_db
class TestStart:
    @pytest.mark.parametrize(
        "change",
        [
            lambda reply: claim_as_version_0_2(reply.id),
            lambda reply: OutboundMessage.objects.filter(pk=reply.id).update(lease=uuid4()),
            lambda reply: outbox_queue.mark_superseded(reply.contact_id, about="", keys=None),
            lambda reply: OutboundMessage.objects.filter(pk=reply.id).delete(),
            lambda reply: OutboundMessage.objects.filter(pk=reply.id).update(
                contact=builders.create_contact()
            ),
        ],
        ids=["former version", "another gateway", "withdrawn", "erased", "joined"],
    )
    def test_fails_for_what_is_not_to_be_sent_any_more(
        self, change: Callable[[ClaimedMessage], Any]
    ) -> None:
        lost, kept = answer(builders.create_contact(), builders.create_contact())
        change(lost)
        before = OutboundMessage.objects.filter(pk=lost.id).values().first()

        assert start_sends([lost, kept]) == {kept.id}

        assert OutboundMessage.objects.filter(pk=lost.id).values().first() == before

    def test_fails_while_the_former_version_sends_the_buyer_another_message(self) -> None:
        buyer = builders.create_contact()
        resent = queue_message(buyer, status=OutboxStatus.FAILED)
        [reply] = answer(buyer)
        OutboundMessage.objects.filter(pk=resent.pk).update(status=OutboxStatus.QUEUED)
        claim_as_version_0_2(resent.pk)

        assert start_sends([reply]) == frozenset()
        assert load(reply).status == OutboxStatus.QUEUED

    def test_may_be_repeated_after_an_error(self) -> None:
        [reply] = answer(builders.create_contact())

        assert start_sends([reply]) == start_sends([reply]) == {reply.id}

    def test_and_results_of_many_take_four_statements(self) -> None:
        buyers = [builders.create_contact() for _ in range(20)]
        sent, starting = answer(*buyers[:10]), answer(*buyers[10:])
        start_sends(sent)
        accepted = [SentMessage(each, f"wamid.{each.id}") for each in sent]

        with CaptureQueriesContext(connection) as queries:
            started = send_marks.write_marks(
                now=NOON, lease_for=LEASE_FOR, starting=starting, sent=accepted
            )

        assert started == set(list_ids(starting))
        assert len([query for query in queries if "outbound" in query["sql"]]) == 4
        statuses = OutboundMessage.objects.order_by("pk").values_list("status", "wa_message_id")
        assert list(statuses) == [
            *((OutboxStatus.SENT, each.wa_message_id) for each in accepted),
            *((OutboxStatus.SENDING, "") for _ in starting),
        ]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_a_gateway_that_is_slow_and_one_that_takes_over_exactly_one_sends(self) -> None:
        slow = answer(*(builders.create_contact() for _ in range(30)))

        def begin_late(part: Sequence[ClaimedMessage]) -> list[int]:
            return list(start_sends(part, now=LATER))

        def take_over() -> list[int]:
            return [pk for _ in range(6) for pk in list_ids(claim_messages(now=LATER, limit=5))]

        chunks = [slow[place : place + 5] for place in range(0, 30, 5)]
        results = run_at_once(
            [lambda: [pk for part in chunks for pk in begin_late(part)], take_over]
        )

        begun = [pk for result in results for pk in result]
        begun += list_ids(claim_messages(now=LATER, limit=30))
        assert sorted(begun) == sorted(list_ids(slow))
        assert set(OutboundMessage.objects.values_list("status", flat=True)) == {
            OutboxStatus.SENDING
        }
