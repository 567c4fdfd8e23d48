"""Tests of STOP and START in the outbox."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.graph_errors import FailureReaction, Judgement
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import handover, opt_out
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import outbox_queue, send_results
from shared.whatsapp.services.outbox.message_claims import ClaimedMessage
from tests.builders import NOON, create_contact
from tests.integration.whatsapp.outbox_builders import claim_messages, queue_message

pytestmark = pytest.mark.django_db(transaction=True)


def stop(contact: WhatsAppContact) -> bool:
    """Stop messages to a buyer, and save it."""
    with transaction.atomic():
        locked = contacts.lock_contact(contact.pk)
        changed = opt_out.stop(locked, at=NOON, now=NOON)
        handover.save_handover(locked)
    contact.refresh_from_db()
    return changed


def read_status(message: OutboundMessage) -> str:
    """Return the status of a message as it is stored."""
    message.refresh_from_db()
    return message.status


def test_queued_notices_are_withheld_and_replies_are_sent() -> None:
    buyer = create_contact()
    notice = queue_message(buyer, kind=OutboxKind.NOTICE, next_attempt_at=NOON)
    reply = queue_message(buyer)
    of_another = queue_message(create_contact(), kind=OutboxKind.NOTICE)

    assert stop(buyer)

    assert buyer.stopped_at == NOON
    assert read_status(notice) == OutboxStatus.WITHHELD
    assert notice.next_attempt_at is None
    assert read_status(reply) == OutboxStatus.QUEUED
    assert read_status(of_another) == OutboxStatus.QUEUED


def test_a_notice_that_is_reserved_leaves() -> None:
    buyer = create_contact()
    reserved = queue_message(
        buyer,
        kind=OutboxKind.NOTICE,
        lease=uuid4(),
        lease_until=NOON + timedelta(seconds=5),
    )
    abandoned = queue_message(buyer, kind=OutboxKind.NOTICE, lease=uuid4(), lease_until=NOON)

    stop(buyer)

    assert read_status(reserved) == OutboxStatus.QUEUED
    assert read_status(abandoned) == OutboxStatus.WITHHELD


def test_new_notices_are_withheld_until_the_buyer_writes() -> None:
    buyer = create_contact()
    stop(buyer)

    notice = queue_message(buyer, kind=OutboxKind.NOTICE)
    reply = queue_message(buyer)

    assert read_status(notice) == OutboxStatus.WITHHELD
    assert read_status(reply) == OutboxStatus.QUEUED
    with transaction.atomic():
        assert outbox_queue.release_withheld_messages(buyer, now=NOON) == 1
    assert read_status(notice) == OutboxStatus.QUEUED


def lose_its_gateway(notice: OutboundMessage) -> None:
    """Let the gateway die that had reserved the notice when STOP came."""
    OutboundMessage.objects.filter(pk=notice.pk).update(lease_until=NOON)


def get_no_answer(notice: OutboundMessage) -> None:
    """Let the send stay without an answer, so that it is tried again."""
    OutboundMessage.objects.filter(pk=notice.pk).update(
        status=OutboxStatus.UNKNOWN, unknown_sends=1, next_attempt_at=NOON
    )
    outbox_queue.settle_abandoned_sends(now=NOON)


def be_refused(reaction: FailureReaction) -> Callable[[OutboundMessage], None]:
    """Return what lets Meta refuse the notice for now."""

    def refuse(notice: OutboundMessage) -> None:
        send_results.record_failure(
            build_claim(notice),
            judgement=Judgement(reaction, "", alarm=False),
            code=1,
            words="",
            now=NOON,
            jitter=0,
        )

    return refuse


def not_reach_meta(notice: OutboundMessage) -> None:
    """Let the connection to Meta fail."""
    send_results.record_not_reached(build_claim(notice), now=NOON, jitter=0)


def fail_and_be_sent_again(notice: OutboundMessage) -> None:
    """Let the notice fail, and let staff send it again."""
    OutboundMessage.objects.filter(pk=notice.pk).update(status=OutboxStatus.FAILED)
    outbox_queue.resend_message(notice.pk)


def build_claim(notice: OutboundMessage) -> ClaimedMessage:
    """Return the claim of the gateway that is sending a notice."""
    assert notice.lease is not None
    return ClaimedMessage(
        id=notice.pk,
        lease=notice.lease,
        contact_id=notice.contact_id,
        phone_number_id=notice.phone_number_id,
        body={},
        attempts=0,
        correlation_id="",
    )


@pytest.mark.parametrize(
    "go_wrong",
    [
        lose_its_gateway,
        get_no_answer,
        *map(be_refused, (FailureReaction.RETRY, FailureReaction.RETRY_NUMBER)),
        not_reach_meta,
        fail_and_be_sent_again,
    ],
)
def test_a_notice_from_before_stop_is_not_tried_again(
    go_wrong: Callable[[OutboundMessage], None],
) -> None:
    buyer = create_contact()
    notice = queue_message(
        buyer,
        kind=OutboxKind.NOTICE,
        status=OutboxStatus.SENDING if go_wrong is not lose_its_gateway else OutboxStatus.QUEUED,
        lease=uuid4(),
        lease_until=NOON + timedelta(seconds=5),
    )
    stop(buyer)

    go_wrong(notice)

    assert claim_messages(now=NOON + timedelta(minutes=5)) == []
    assert read_status(notice) == OutboxStatus.WITHHELD


def test_what_was_released_since_stop_is_sent() -> None:
    buyer = create_contact()
    stop(buyer)
    notice = queue_message(buyer, kind=OutboxKind.NOTICE)
    with transaction.atomic():
        outbox_queue.release_withheld_messages(buyer, now=NOON)

    assert [message.id for message in claim_messages()] == [notice.pk]


def test_a_second_stop_changes_nothing() -> None:
    buyer = create_contact()

    assert stop(buyer)
    assert not stop(buyer)


def test_start_ends_it() -> None:
    buyer = create_contact()
    stop(buyer)

    assert opt_out.start(buyer, at=NOON)
    assert not opt_out.start(buyer, at=NOON)
    buyer.save()
    assert read_status(queue_message(buyer, kind=OutboxKind.NOTICE)) == OutboxStatus.QUEUED
