"""The lists of troubled messages go through their partial indexes, however much was sent before."""

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
        ("outbound_failed", OutboundMessage, predicates.NOT_SENT),
        ("outbound_withheld", OutboundMessage, predicates.WITHHELD),
        ("outbound_unknown", OutboundMessage, predicates.UNANSWERED),
        ("outbound_queue", OutboundMessage, predicates.WAITING),
        ("outbound_sending", OutboundMessage, predicates.UNDER_WAY),
        ("inbound_failed", InboundMessage, predicates.NOT_ANSWERED),
        ("inbound_waiting", InboundMessage, predicates.TO_ANSWER),
    ],
)
def test_counts_through_the_index(index: str, model: Any, condition: Q, vendor: str) -> None:
    if vendor == "postgresql":
        with connection.cursor() as cursor:  # of an empty table any plan would do
            cursor.execute("SET LOCAL enable_seqscan = off")

    plan = model.objects.filter(condition).order_by().values("pk").explain()

    assert index in plan
