"""Tests of the ledger in the admin: its rows, filters and queries."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import LedgerKind
from shared.raffles.models import LedgerEntry, Raffle
from tests import builders

pytestmark = pytest.mark.django_db

LIST = "admin:raffles_ledgerentry_changelist"


def create_entry(raffle: Raffle, **fields: Any) -> LedgerEntry:
    order = builders.create_order_row(raffle, code=f"R-ABCD{LedgerEntry.objects.count() + 2}")
    return LedgerEntry.objects.create(
        **{
            "raffle": raffle,
            "order": order,
            "kind": LedgerKind.LATE_REFUNDED,
            "amount": order.total,
            "currency": order.currency,
            "quantity": 1,
            "actor_kind": "STAFF",
            "actor_label": "rita",
            "at": timezone.now(),
            **fields,
        }
    )


def list_found(client: Client, **query: str) -> list[int]:
    found = client.get(reverse(LIST), query).context["cl"].result_list
    return sorted(entry.pk for entry in found)


def test_shows_what_went_back_with_its_order_and_reference(owner: Client) -> None:
    entry = create_entry(builders.create_raffle(numbers=1), reference="Transfer 77")

    page = owner.get(reverse(LIST)).content.decode()
    detail = owner.get(reverse("admin:raffles_ledgerentry_change", args=[entry.pk]))

    for words in ("Late payment refunded", "−$5.00", "Transfer 77", "rita"):
        assert words in page
        assert words in detail.content.decode()
    assert reverse("admin:raffles_order_change", args=[entry.order_id]) in page


def test_is_filtered_by_raffle_kind_and_date(owner: Client) -> None:
    summer, winter = builders.create_raffle(numbers=1), builders.create_raffle(numbers=1)
    old = create_entry(summer, at=timezone.now() - timedelta(days=20))
    new = create_entry(winter)

    assert list_found(owner) == [old.pk, new.pk]
    assert list_found(owner, raffle=str(summer.pk)) == [old.pk]
    assert list_found(owner, kind="LATE_REFUNDED", days="7") == [new.pk]
    assert list_found(owner, days="30") == [old.pk, new.pk]
    assert list_found(owner, kind="REFUNDED") == []
    assert list_found(owner, q=str(new.order.code)) == [new.pk]


def test_takes_as_many_queries_for_many_entries(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    raffle = builders.create_raffle(numbers=1)
    for _ in range(5):
        create_entry(raffle)

    with django_assert_max_num_queries(12):
        owner.get(reverse(LIST))
