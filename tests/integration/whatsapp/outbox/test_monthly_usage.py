"""Tests of the count of messages sent this month."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp.models import DeletedMessages, OutboundMessage, WhatsAppContact
from shared.whatsapp.services import erasure
from shared.whatsapp.services.outbox import monthly_usage
from tests import builders
from tests.builders import PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MONTH = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
"""When November begins in Bogota."""


def create_messages(count: int, **fields: Any) -> None:
    """Create messages that Meta accepted."""
    contact = builders.create_contact()
    values: dict[str, Any] = {
        "phone_number_id": PHONE_NUMBER_ID,
        "kind": OutboxKind.REPLY,
        "key": "card",
        "payload": {},
        "status": OutboxStatus.SENT,
        "created_at": MONTH,
        "sent_at": MONTH,
        **fields,
    }
    OutboundMessage.objects.bulk_create(
        OutboundMessage(contact=contact, **values) for _ in range(count)
    )


def test_counts_what_meta_accepted_since_the_month_began_there() -> None:
    create_messages(2)
    create_messages(1, phone_number_id="2")
    create_messages(1, sent_at=MONTH - SECOND)
    create_messages(1, status=OutboxStatus.FAILED, sent_at=None)

    usage = monthly_usage.count_monthly_usage(
        [PHONE_NUMBER_ID, "2", "3"], now=MONTH + timedelta(days=20), zone="America/Bogota"
    )

    assert {number: each.sent for number, each in usage.items()} == {
        PHONE_NUMBER_ID: 2,
        "2": 1,
        "3": 0,
    }


def test_still_counts_messages_that_were_erased_with_their_buyers() -> None:
    now = MONTH + timedelta(days=20)
    create_messages(2)
    create_messages(1, sent_at=now)
    create_messages(1, sent_at=MONTH - SECOND)
    create_messages(1, sent_at=MONTH - timedelta(days=40))

    def count(zone: str = "America/Bogota") -> int:
        usage = monthly_usage.count_monthly_usage([PHONE_NUMBER_ID], now=now, zone=zone)
        return usage[PHONE_NUMBER_ID].sent

    before = count()
    for contact in WhatsAppContact.objects.all():
        locked = erasure.lock_for_erasure([contact.pk])
        erasure.erase_contacts(locked, now=now)

    assert not OutboundMessage.objects.exists()
    assert (before, count(), count("Asia/Kolkata")) == (3, 3, 1 + 2 + 1)
    assert DeletedMessages.objects.count() == 3, "that of forty days ago is in no month any more"
    erasure.delete_old_logs(before=now, limit=100)
    assert count() == 3
    erasure.delete_old_logs(before=now + timedelta(days=33), limit=100)
    assert not DeletedMessages.objects.exists()


@pytest.mark.parametrize(
    ("sent", "is_high", "charged"),
    [(799, False, 0), (800, True, 0), (1_000, True, 0), (1_001, True, 1)],
)
def test_warns_from_eighty_per_cent_on(sent: int, is_high: bool, charged: int) -> None:
    usage = monthly_usage.MonthlyUsage(sent)

    assert (usage.is_high, usage.charged) == (is_high, charged)
