"""Tests that queries of messages by status use their partial indexes."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from shared.whatsapp import predicates
from shared.whatsapp.models import InboundMessage, OutboundMessage
from shared.whatsapp.services.outbox import monthly_usage
from tests.builders import NOON, PHONE_NUMBER_ID

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("index", "model", "condition"),
    [
        ("outbound_failed", OutboundMessage, predicates.FAILED_OUTBOUND),
        ("outbound_withheld", OutboundMessage, predicates.WITHHELD_OUTBOUND),
        ("outbound_unknown", OutboundMessage, predicates.UNKNOWN_OUTBOUND),
        ("outbound_queue", OutboundMessage, predicates.QUEUED_OUTBOUND),
        ("outbound_sending", OutboundMessage, predicates.SENDING_OUTBOUND),
        ("inbound_failed", InboundMessage, predicates.FAILED_INBOUND),
        ("inbound_waiting", InboundMessage, predicates.WAITING_INBOUND),
    ],
)
def test_finds_waiting_and_failed_messages_through_the_index(
    index: str, model: Any, condition: Q, vendor: str
) -> None:
    _forbid_scans(vendor)

    plan = model.objects.filter(condition).order_by().values("pk").explain()

    assert index in plan


def test_counts_the_messages_of_a_month_in_the_index_alone(vendor: str) -> None:
    _forbid_scans(vendor)

    plan = monthly_usage.query_sent_counts([PHONE_NUMBER_ID], since=NOON).explain()

    assert {"sqlite": "COVERING INDEX outbound_sent", "postgresql": "outbound_sent"}[vendor] in plan


def _forbid_scans(vendor: str) -> None:
    """Make PostgreSQL use an index although the table is empty."""
    if vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
