"""Tests of messages that became untrue: withdrawn, or at least never sent again."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.messaging import delivery_reasons
from shared.core.constants import MAX_UNKNOWN_RESENDS, UNKNOWN_SEND_WAIT
from shared.core.enums import MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.whatsapp.errors import MessageNotFailed
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import Alarm, BusinessNumber, OutboundMessage, WhatsAppContact
from shared.whatsapp.services.outbox import delivery_statuses, outbox_queue, send_results
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from shared.whatsapp.services.outbox.message_status import SUPERSEDED
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.whatsapp.outbox_builders import (
    LEASE_FOR,
    claim_message,
    claim_messages,
    queue_message,
    record_sent,
)
from tests.integration.whatsapp.webhook_builders import build_status, build_webhook, store_webhooks

pytestmark = pytest.mark.django_db

CODE = "R-7K3F9"
LEASED: dict[str, Any] = {"lease": uuid4(), "lease_until": NOON + MINUTE}


@pytest.fixture
def buyer() -> WhatsAppContact:
    return builders.create_contact()


def queue_notice(buyer: WhatsAppContact, **fields: Any) -> OutboundMessage:
    """Queue news about the order and set these fields afterwards."""
    return queue_message(buyer, kind=OutboxKind.NOTICE, **{"about": CODE, "key": "paid", **fields})


def withdraw(buyer: WhatsAppContact, *keys: str) -> int:
    """Withdraw the messages about the order, of these keys or of all."""
    with transaction.atomic():
        return outbox_queue.mark_superseded(buyer.pk, about=CODE, keys=keys or None)


def load_message() -> OutboundMessage:
    return OutboundMessage.objects.select_related("contact").get()


def begin_to_send(buyer: WhatsAppContact) -> ClaimedMessage:
    """Queue news, claim it as a gateway does, and withdraw it meanwhile."""
    queue_notice(buyer)
    claimed = claim_message()
    withdraw(buyer)
    return claimed


class TestWithdrawal:
    @pytest.mark.parametrize(
        "fields",
        [
            {"status": OutboxStatus.QUEUED},
            {"status": OutboxStatus.QUEUED, "next_attempt_at": NOON, "error": "Slow down."},
            {"status": OutboxStatus.WITHHELD},
            {"status": OutboxStatus.FAILED, "error": "No.", "error_code": 131026},
            {"status": OutboxStatus.SENT, "delivery": MessageDeliveryStatus.FAILED},
        ],
    )
    def test_ends_a_message_that_did_not_arrive(
        self, buyer: WhatsAppContact, fields: dict[str, Any]
    ) -> None:
        queue_notice(buyer, **fields)

        assert withdraw(buyer) == 1

        message = load_message()
        assert (message.status, message.error) == (OutboxStatus.STALE, SUPERSEDED)
        assert (message.error_code, message.next_attempt_at) == (None, None)
        assert delivery_reasons.explain_message_state(message, now=NOON) == SUPERSEDED
        assert not delivery_reasons.is_buyer_uninformed(message)

    @pytest.mark.parametrize(
        "fields",
        [
            {"status": OutboxStatus.SENT},
            {"status": OutboxStatus.SENT, "delivery": MessageDeliveryStatus.READ},
            {"status": OutboxStatus.STALE},
            {"about": "R-OTHER"},
            {"about": ""},
            {"key": "proof_received"},
        ],
    )
    def test_leaves_what_arrived_and_what_is_about_something_else(
        self, buyer: WhatsAppContact, fields: dict[str, Any]
    ) -> None:
        before = queue_notice(buyer, **fields)

        assert withdraw(buyer, "paid", "held") == 0

        assert (load_message().status, load_message().error) == (before.status, "")

    def test_leaves_the_messages_of_other_buyers(self, buyer: WhatsAppContact) -> None:
        queue_notice(builders.create_contact())

        assert withdraw(buyer) == 0

    def test_asks_one_query_of_an_index_when_there_is_nothing_to_withdraw(
        self, buyer: WhatsAppContact, vendor: str
    ) -> None:
        with CaptureQueriesContext(connection) as queries:
            withdraw(buyer, "held")

        [asked] = [query["sql"] for query in queries if "FROM" in query["sql"]]
        with connection.cursor() as cursor:
            if vendor == "postgresql":  # an empty table would not need an index
                cursor.execute("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN" if vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {asked}")
            plan = str(cursor.fetchall())
        assert "contact_id" in plan
        assert "outbound" in plan

    def test_a_withdrawn_message_cannot_be_sent_again_by_hand(self, buyer: WhatsAppContact) -> None:
        message = queue_notice(buyer, status=OutboxStatus.FAILED)
        withdraw(buyer)

        with pytest.raises(MessageNotFailed):
            outbox_queue.resend_message(message.pk)

    def test_a_withdrawn_message_is_not_released_when_the_buyer_writes(
        self, buyer: WhatsAppContact
    ) -> None:
        queue_notice(buyer, status=OutboxStatus.WITHHELD)
        withdraw(buyer)

        assert outbox_queue.release_withheld_messages(buyer, now=NOON) == 0
        assert claim_messages() == []


class TestUnderWay:
    def test_a_message_that_was_accepted_all_the_same_is_sent(self, buyer: WhatsAppContact) -> None:
        claimed = begin_to_send(buyer)
        assert load_message().status == OutboxStatus.SENDING

        record_sent(claimed, wa_message_id="wamid.1", now=NOON)

        assert (load_message().status, load_message().error) == (OutboxStatus.SENT, "")

    @pytest.mark.parametrize(
        "reaction", [each for each in FailureReaction if each is not FailureReaction.UNKNOWN]
    )
    def test_a_message_that_was_refused_is_not_tried_again_and_missed_by_nobody(
        self, buyer: WhatsAppContact, reaction: FailureReaction
    ) -> None:
        claimed = begin_to_send(buyer)

        send_results.record_failure(
            claimed,
            judgement=Judgement(reaction, "What it means.", alarm=False),
            code=1,
            words="What Meta said.",
            now=NOON,
            jitter=0,
        )

        message = load_message()
        assert (message.status, message.error) == (OutboxStatus.STALE, SUPERSEDED)
        assert message.lease is None
        assert not Alarm.objects.filter(key__startswith="not_sent").exists()

    def test_a_refusal_that_pauses_the_number_still_says_why(self, buyer: WhatsAppContact) -> None:
        claimed = begin_to_send(buyer)

        send_results.record_failure(
            claimed,
            judgement=Judgement(FailureReaction.PAUSE, "The token is wrong.", alarm=True),
            code=190,
            words="",
            now=NOON,
            jitter=0,
        )

        number = BusinessNumber.objects.get()
        assert "The token is wrong." in number.pause_reason
        assert load_message().status == OutboxStatus.STALE

    def test_a_message_that_did_not_reach_meta_is_not_tried_again(
        self, buyer: WhatsAppContact
    ) -> None:
        claimed = begin_to_send(buyer)

        send_results.record_not_reached(claimed, now=NOON, jitter=0)

        assert load_message().status == OutboxStatus.STALE

    @pytest.mark.parametrize("how", ["no answer", "refused without a verdict", "lease ran out"])
    @pytest.mark.parametrize("earlier_sends", [0, MAX_UNKNOWN_RESENDS])
    def test_a_message_without_an_answer_is_not_sent_again(
        self, buyer: WhatsAppContact, how: str, earlier_sends: int
    ) -> None:
        claimed = begin_to_send(buyer)
        OutboundMessage.objects.update(unknown_sends=earlier_sends)
        later = NOON + LEASE_FOR + timedelta(seconds=1)
        if how == "no answer":
            send_results.record_unknown(claimed, now=later)
        elif how == "lease ran out":
            outbox_queue.settle_abandoned_sends(now=later)
        else:
            send_results.record_failure(
                claimed,
                judgement=Judgement(FailureReaction.UNKNOWN, "?", alarm=False),
                code=131000,
                words="",
                now=later,
                jitter=0,
            )
        assert load_message().status == OutboxStatus.UNKNOWN

        outbox_queue.settle_abandoned_sends(now=later + UNKNOWN_SEND_WAIT)

        message = load_message()
        assert (message.status, message.error) == (OutboxStatus.STALE, SUPERSEDED)
        assert claim_messages(now=later + UNKNOWN_SEND_WAIT) == []
        assert not Alarm.objects.exists()

    def test_a_message_that_became_untrue_after_it_was_sent_is_not_sent_again(
        self, buyer: WhatsAppContact
    ) -> None:
        queue_notice(
            buyer, status=OutboxStatus.UNKNOWN, unknown_sends=1, next_attempt_at=NOON, **LEASED
        )

        assert withdraw(buyer) == 1
        assert load_message().status == OutboxStatus.UNKNOWN
        outbox_queue.settle_abandoned_sends(now=NOON)

        assert load_message().status == OutboxStatus.STALE

    @pytest.mark.parametrize("settled", [True, False])
    @pytest.mark.parametrize("name", ["delivered", "read"])
    def test_a_late_status_says_that_it_arrived_all_the_same(
        self, buyer: WhatsAppContact, name: str, settled: bool
    ) -> None:
        message = queue_notice(
            buyer, status=OutboxStatus.UNKNOWN, unknown_sends=1, next_attempt_at=NOON
        )
        withdraw(buyer)
        if settled:
            outbox_queue.settle_abandoned_sends(now=NOON)

        receive_status(name, message)

        assert (load_message().status, load_message().delivery) == (OutboxStatus.SENT, name)
        assert load_message().error == ""

    @pytest.mark.parametrize("code", [131026, 131047])
    def test_a_late_status_that_it_did_not_arrive_changes_nothing(
        self, buyer: WhatsAppContact, code: int
    ) -> None:
        message = queue_notice(
            buyer, status=OutboxStatus.UNKNOWN, unknown_sends=1, next_attempt_at=NOON
        )
        withdraw(buyer)

        receive_status("failed", message, code=code)

        assert (load_message().status, load_message().error) == (OutboxStatus.STALE, SUPERSEDED)
        assert not Alarm.objects.exists()


def receive_status(name: str, message: OutboundMessage, *, code: int = 0) -> None:
    """Store and apply one status webhook about a message."""
    item = build_status(name, wamid="wamid.1", callback_data=str(message.callback_data), code=code)
    store_webhooks(build_webhook(statuses=[item]))
    delivery_statuses.apply_statuses(now=NOON, limit=100)
