"""Tests of statements that are run together: the same results, in fewer round trips."""

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from shared.core.statements.bound_statements import BoundStatement, read_nothing, run_together
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.core.statements.compiled_queries import CompiledQuery, CompiledUpdate, IsIn, Parameter
from shared.raffles.models import OrderEvent
from tests.builders import NOON, create_order_row, create_raffle

pytestmark = pytest.mark.django_db

EVENTS = CompiledQuery(lambda: OrderEvent.objects.filter(IsIn("order_id", "orders")).order_by("pk"))
SET_REASON = CompiledUpdate(
    lambda: OrderEvent.objects.filter(order_id=Parameter("order", models.BigIntegerField())),
    reason=Parameter("reason", models.CharField()),
)
INSERT = CompiledInsert(OrderEvent)


def test_each_sees_the_one_before(vendor: str) -> None:
    order = create_order_row(create_raffle())
    events = [
        OrderEvent(order=order, action="HELD", actor_kind="CHAT", at=NOON, reason="a;\n%s"),
        OrderEvent(order=order, action="PLACED", actor_kind="CHAT", at=NOON),
    ]

    with CaptureQueriesContext(connection) as captured:
        nothing, inserted, read, changed, after = run_together(
            BoundStatement("SELECT 1", [], read_nothing),
            INSERT.bind(events),
            EVENTS.bind(orders=[order.pk]),
            SET_REASON.bind(order=order.pk, reason="é"),
            EVENTS.bind(orders=[order.pk]),
        )

    assert len(captured) == (1 if vendor == "postgresql" else 5)
    assert (nothing, inserted, changed) == (None, 2, 2)
    assert read == events == list(OrderEvent.objects.filter(order=order))
    assert [event.reason for event in read] == ["a;\n%s", ""]
    assert [event.reason for event in after] == ["é", "é"]


def test_a_failure_spoils_the_transaction() -> None:
    order = create_order_row(create_raffle())
    event = OrderEvent(order=order, action="HELD", actor_kind="CHAT", at=NOON)
    INSERT.run([event])

    with transaction.atomic():
        with pytest.raises(IntegrityError):
            run_together(SET_REASON.bind(order=order.pk, reason=""), INSERT.bind([event]))
        assert connection.needs_rollback
        transaction.set_rollback(True)
