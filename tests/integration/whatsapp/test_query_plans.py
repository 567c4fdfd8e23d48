"""Tests that queries of queued and failed messages use their partial indexes."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from shared.whatsapp import predicates
from shared.whatsapp.models import InboundMessage, OutboundMessage

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
def test_counts_through_the_index(index: str, model: Any, condition: Q, vendor: str) -> None:
    if vendor == "postgresql":
        with connection.cursor() as cursor:  # an empty table would not need an index
            cursor.execute("SET LOCAL enable_seqscan = off")

    plan = model.objects.filter(condition).order_by().values("pk").explain()

    assert index in plan
