"""Tests of STOP and START in the outbox."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from shared.whatsapp.services import handover, opt_out
from shared.whatsapp.services.inbox import contacts
from shared.whatsapp.services.outbox import outbox_queue
from tests.builders import NOON, create_contact
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = pytest.mark.django_db(transaction=True)


def stop(contact: WhatsAppContact) -> bool:
    """Stop messages to a buyer, and save it."""
    with transaction.atomic():
        locked = contacts.lock_contact(contact.pk)
        changed = opt_out.stop(locked, now=NOON)
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


def test_a_second_stop_changes_nothing() -> None:
    buyer = create_contact()

    assert stop(buyer)
    assert not stop(buyer)


def test_start_ends_it() -> None:
    buyer = create_contact()
    stop(buyer)

    assert opt_out.start(buyer)
    assert not opt_out.start(buyer)
    buyer.save()
    assert read_status(queue_message(buyer, kind=OutboxKind.NOTICE)) == OutboxStatus.QUEUED
