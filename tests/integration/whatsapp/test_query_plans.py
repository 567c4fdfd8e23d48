"""Tests that queries of messages by status use their partial indexes."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from shared.core.statements.compiled_queries import CompiledQuery
from shared.whatsapp import predicates
from shared.whatsapp.models import InboundMessage, OutboundMessage
from shared.whatsapp.services.outbox import monthly_usage, outbox_statements
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
    """Make PostgreSQL use an index although the table is empty.

    What autovacuum learnt of the messages of other tests is forgotten for this one: with it, all
    indexes may cost the same.
    """
    if vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "WITH forgotten AS ("
                "UPDATE pg_class SET relpages = 0, reltuples = -1"
                " WHERE relkind = 'r' AND relname LIKE 'whatsapp_%' RETURNING oid)"
                " DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM forgotten)"
            )


@pytest.mark.parametrize(
    ("query", "indexes", "values"),
    [
        (outbox_statements.FIRST_QUEUED, ["outbound_queue"], {}),
        (outbox_statements.CONTACTS_OF_SENDS, ["outbound_sending"], {}),
        (
            outbox_statements.get_queue_heads_query(8),
            ["outbound_queue", "outbound_sending"],
            {"now": NOON, "skip_contacts": [1], "skip_numbers": []},
        ),
        (outbox_statements.FIRST_EXPIRED_SEND, ["outbound_sending"], {"now": NOON}),
        (outbox_statements.FIRST_SILENT_SEND, ["outbound_unknown"], {"now": NOON}),
        (outbox_statements.FIRST_NEW_STATUS, ["delivery_to_apply"], {"now": NOON}),
        (
            outbox_statements.CONTACTS_WITH_MORE,
            ["outbound_queue"],
            {"contacts": [1], "now": NOON},
        ),
        (
            outbox_statements.UNSETTLED,
            ["outbound_queue", "outbound_sending", "outbound_unknown"],
            {"contacts": [1], "before": 9},
        ),
    ],
)
def test_the_outbox_looks_into_small_indexes(
    query: CompiledQuery[Any], indexes: list[str], values: dict[str, Any], vendor: str
) -> None:
    _forbid_scans(vendor)
    with CaptureQueriesContext(connection) as queries:
        query.fetch(**values)

    explain = "EXPLAIN" if vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {queries[0]['sql']}")
        plan = str(cursor.fetchall())

    assert all(index in plan for index in indexes), plan
    assert "outbound_of_contact" not in plan  # it holds all messages that a buyer ever got
