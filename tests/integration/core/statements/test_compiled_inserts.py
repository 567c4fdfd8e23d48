"""Tests that compiled inserts write the same rows as the ORM."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from shared.core.enums import EventType, Mode, OrderStatus
from shared.core.statements.compiled_inserts import CompiledInsert
from shared.events.models import Event
from shared.raffles.models import Order, Raffle
from tests.builders import NOON, create_contact, create_raffle

pytestmark = pytest.mark.django_db


def read(row: models.Model) -> dict[str, Any]:
    stored = type(row).objects.get(pk=row.pk)  # type: ignore[attr-defined]
    return {name: value for name, value in stored.__dict__.items() if name not in {"_state", "id"}}


def build_order(raffle: Raffle, **fields: Any) -> Order:
    return Order(
        **{
            "raffle": raffle,
            "contact": create_contact(),
            "mode": Mode.RANDOM,
            "quantity": 3,
            "unit_price": Decimal("1.10"),
            "total": Decimal("3.30"),
            "currency": "USD",
            "expires_at": NOON,
            "created_at": NOON,
            "buyer_name": "José Nuñez",
            **fields,
        }
    )


def build_event(key: str | None) -> Event:
    data = {"numbers": ["007"], "title": "Niño ✓", "none": None}
    return Event(type=EventType.ORDER_PAID, data=data, dedupe_key=key, created_at=NOON)


def test_inserts_as_the_orm_does() -> None:
    raffle = create_raffle()
    orders = [build_order(raffle), build_order(raffle, contact=None)]
    event = build_event(None)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        CompiledInsert(Order).run(orders)
        CompiledInsert(Event).run([event])

    assert len(captured) == 2
    assert orders[0].pk < orders[1].pk
    for row in (*orders, event):
        assert not row._state.adding
        inserted = read(row)
        row.pk = None
        if isinstance(row, Event):
            row.event_id += "x"
            inserted["event_id"] += "x"
        row.save(force_insert=True)
        assert read(row) == inserted
    assert Order.objects.filter(search_name="jose nunez").count() == 4
    CompiledInsert(Order).run([])


def test_inserts_a_given_id_and_skips_what_exists() -> None:
    insert = CompiledInsert(Event, unique=["dedupe_key"])
    insert.run([build_event("a")])
    insert.run([build_event("a"), build_event("b")])
    assert list(Event.objects.values_list("dedupe_key", flat=True)) == ["a", "b"]

    order = build_order(create_raffle(), id=10**6, status=OrderStatus.DRAFT)
    CompiledInsert(Order).run([order])
    assert Order.objects.get() == order
    assert order.pk == 10**6


def test_refuses_what_the_orm_refuses() -> None:
    raffle = create_raffle()
    with pytest.raises(IntegrityError), transaction.atomic():
        CompiledInsert(Order).run([build_order(raffle, quantity=0, total=0)])
    insert = CompiledInsert(Event, unique=["dedupe_key"])
    unknown = Event(type="order.unknown", data={}, dedupe_key="c", created_at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert.run([unknown])
    with pytest.raises(TypeError, match="no expression"):
        insert.run([Event(type=EventType.ORDER_PAID, subject=models.Value("x"))])
