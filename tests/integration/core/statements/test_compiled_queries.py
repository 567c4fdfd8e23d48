"""Tests that compiled statements return and change the same as the ORM."""

import copy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.transaction import TransactionManagementError

from shared.core.enums import OutboxKind, OutboxStatus
from shared.core.statements.compiled_queries import (
    CompiledDelete,
    CompiledQuery,
    CompiledUpdate,
    IsIn,
    Moment,
    Parameter,
    TimeParameter,
)
from shared.raffles.models import Order
from shared.whatsapp.models import OutboundMessage
from tests.builders import NOON, create_contact, create_order_row, create_raffle
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = pytest.mark.django_db


def _read(rows: QuerySet[Any] | list[Any]) -> list[dict[str, Any]]:
    fields = [{**each.__dict__, "_state": None} for each in copy.deepcopy(list(rows))]
    return sorted(fields, key=lambda values: values["id"])


def test_returns_the_instances_of_the_queryset() -> None:
    contacts = [create_contact(), create_contact(), create_contact()]
    for contact in contacts:
        queue_message(contact, payload={"text": "é ✓"})
    OutboundMessage.objects.filter(contact=contacts[0]).update(lease=uuid4(), lease_until=NOON)
    query = CompiledQuery(
        lambda: OutboundMessage.objects.filter(
            IsIn("contact_id", "contacts"),
            created_at__gt=Parameter("since", models.DateTimeField()),
            status=OutboxStatus.QUEUED,
        ).order_by("-pk")
    )

    for wanted in (contacts[:2], contacts[1:], []):
        found = query.fetch(
            contacts=[contact.pk for contact in wanted], since=NOON - timedelta(days=1)
        )
        expected = OutboundMessage.objects.filter(contact__in=wanted).order_by("-pk")
        assert _read(found) == _read(expected)
        assert [each.pk for each in found] == [each.pk for each in expected]
        assert all(not each._state.adding and each._state.db == "default" for each in found)

    assert query.fetch(contacts=[contacts[0].pk], since=NOON + timedelta(days=1)) == []


def test_returns_related_instances_and_tuples() -> None:
    raffle, contact = create_raffle(), create_contact()
    order = create_order_row(raffle, contact=contact, quantity=3)
    of_contact = Order.objects.filter(contact_id=Parameter("contact", models.BigIntegerField()))
    related = CompiledQuery(lambda: of_contact.select_related("raffle", "contact"))
    tuples = CompiledQuery(lambda: of_contact.values_list("unit_price", "created_at"))
    flat = CompiledQuery(lambda: of_contact.values_list("total", flat=True))

    [found] = related.fetch(contact=contact.pk)

    assert (found, found.raffle, found.contact) == (order, raffle, contact)
    assert _read([found.raffle]) == _read([raffle.__class__.objects.get()])
    fresh = Order.objects.get()
    assert tuples.fetch(contact=contact.pk) == [(fresh.unit_price, fresh.created_at)]
    assert flat.fetch(contact=contact.pk) == [fresh.total]
    assert related.fetch(contact=contact.pk + 1) == []


def test_returns_instances_with_their_annotations() -> None:
    raffle = create_raffle()
    orders = [create_order_row(raffle, quantity=quantity) for quantity in (1, 2)]
    others = Order.objects.filter(
        raffle_id=OuterRef("raffle_id"), quantity__gt=OuterRef("quantity")
    )
    of_raffle = Order.objects.filter(raffle_id=Parameter("raffle", models.BigIntegerField()))
    queryset = of_raffle.annotate(has_larger=Exists(others)).select_related("raffle")
    query = CompiledQuery(lambda: queryset.annotate(cents=F("total") * 100).order_by("pk"))

    found = query.fetch(raffle=raffle.pk)

    assert found == orders
    assert [each.has_larger for each in found] == [True, False]
    assert [each.cents for each in found] == [each.total * 100 for each in orders]
    assert [each.raffle for each in found] == [raffle, raffle]


def test_moves_a_time_by_the_span_that_the_queryset_adds() -> None:
    queue_message(create_contact())

    def query_leased(now: Moment) -> QuerySet[OutboundMessage]:
        day, hour = timedelta(days=1), timedelta(hours=1)
        leased = OutboundMessage.objects.filter(lease_until__gt=now - day + hour)
        return leased.filter(lease_until__lte=now + day)

    query = CompiledQuery(lambda: query_leased(TimeParameter("now")))

    for hours in (-24, -23, -22, 0, 24, 25):
        OutboundMessage.objects.update(lease=uuid4(), lease_until=NOON + timedelta(hours=hours))
        assert _read(query.fetch(now=NOON)) == _read(query_leased(NOON))
        assert len(query.fetch(now=NOON)) == (hours in {-22, 0, 24})


def test_updates_as_the_queryset_does() -> None:
    first, second, third = (queue_message(create_contact()) for _ in range(3))
    lease = uuid4()
    update = CompiledUpdate(
        lambda: OutboundMessage.objects.filter(
            pk=Parameter("id", models.BigIntegerField()), kind=OutboxKind.REPLY
        ),
        attempts=F("attempts") + 1,
        payload=Parameter("payload", models.JSONField()),
        lease=Parameter("lease", models.UUIDField()),
        sent_at=Parameter("sent_at", models.DateTimeField()),
        error="",
    )

    assert update.run(id=first.pk, payload={"é": [1]}, lease=lease, sent_at=None) == 1
    changed = update.run_many(
        [
            {"id": each.pk, "payload": {"to": str(each.pk)}, "lease": None, "sent_at": NOON}
            for each in (first, second)
        ]
    )

    assert changed == 2
    rows = OutboundMessage.objects.order_by("pk")
    assert list(rows.values_list("attempts", "payload", "lease", "sent_at")) == [
        (2, {"to": str(first.pk)}, None, NOON),
        (1, {"to": str(second.pk)}, None, NOON),
        (0, third.payload, None, None),
    ]
    assert update.run_many([]) == 0


def test_deletes_as_the_queryset_does() -> None:
    first, second, third = (queue_message(create_contact()) for _ in range(3))
    delete = CompiledDelete(lambda: OutboundMessage.objects.filter(IsIn("id", "ids")))

    assert delete.run(ids=[first.pk, third.pk, 0]) == 2
    assert delete.run(ids=[]) == 0
    assert OutboundMessage.objects.get() == second


@pytest.mark.django_db(transaction=True)
def test_locks_only_within_a_transaction() -> None:
    contact = create_contact()
    query = CompiledQuery(
        lambda: (
            type(contact)
            .objects.select_for_update(skip_locked=True, no_key=True)
            .filter(IsIn("id", "ids"))
            .order_by("pk")
        )
    )

    with transaction.atomic():
        assert query.fetch(ids=[contact.pk]) == [contact]
    with pytest.raises(TransactionManagementError):
        query.fetch(ids=[contact.pk])


def test_refuses_what_it_cannot_build() -> None:
    with pytest.raises(TypeError):
        CompiledQuery(lambda: Order.objects.values("pk")).fetch()
