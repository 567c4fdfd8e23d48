"""Tests of what an open queue page polls for."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import ProofStatus
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.use_cases import payments
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/queue/state/"


@pytest.fixture
def reviewer(client: Client) -> Client:
    client.force_login(sample_data.create_user("rita", *sample_data.REVIEWER_PERMISSIONS))
    return client


def create_waiting_order(raffle: Raffle, number: int) -> Order:
    order = sample_data.place_order(raffle, numbers=[number])
    sample_data.receive_proof(order, at=NOON + number * MINUTE)
    return order


def poll(browser: Client, query: str = "") -> dict[str, Any]:
    answer = browser.get(ADDRESS + query)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{found["version"]}"'
    return found


def ask_whether_new(browser: Client, version: str, query: str = "") -> int:
    return browser.get(ADDRESS + query, headers={"If-None-Match": f'"{version}"'}).status_code


def test_counts_what_waits_and_names_the_newest_proof(reviewer: Client) -> None:
    raffle = builders.create_raffle()
    first, _ = create_waiting_order(raffle, 1), create_waiting_order(raffle, 2)
    payments.ask_for_better_proof(
        first.pk, note="", by=builders.build_staff_actor(), now=NOON + 9 * MINUTE
    )

    found = poll(reviewer)

    assert (found["waiting"], found["asked"]) == (1, 1)
    assert found["latest"] == PaymentProof.objects.order_by("-pk")[0].pk


def test_answers_304_until_something_changes(reviewer: Client) -> None:
    raffle = builders.create_raffle()
    order = create_waiting_order(raffle, 1)
    versions = [poll(reviewer)["version"]]
    assert ask_whether_new(reviewer, versions[0]) == 304

    def expect_news() -> None:
        assert ask_whether_new(reviewer, versions[-1]) == 200
        versions.append(poll(reviewer)["version"])
        assert ask_whether_new(reviewer, versions[-1]) == 304

    second = sample_data.receive_proof(order, at=NOON + 3 * MINUTE)
    expect_news()
    PaymentProof.objects.filter(pk=second.pk).update(status=ProofStatus.KEPT)  # it can be shown
    expect_news()
    payments.ask_for_better_proof(
        order.pk, note="", by=builders.build_staff_actor(), now=NOON + 9 * MINUTE
    )
    expect_news()
    create_waiting_order(raffle, 2)
    expect_news()
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON + 10 * MINUTE)
    expect_news()
    assert len(set(versions)) == len(versions)


def test_is_that_of_the_raffle_the_list_is_narrowed_to(reviewer: Client) -> None:
    mine, other = builders.create_raffle(), builders.create_raffle(title="Winter")
    create_waiting_order(mine, 1)
    found = poll(reviewer, f"?raffle={mine.pk}")

    create_waiting_order(other, 2)

    assert found["waiting"] == 1
    assert ask_whether_new(reviewer, found["version"], f"?raffle={mine.pk}") == 304
    assert poll(reviewer)["waiting"] == 2


@pytest.mark.same_everywhere
def test_is_zero_while_nothing_waits(reviewer: Client) -> None:
    found = poll(reviewer)

    assert (found["waiting"], found["asked"], found["latest"]) == (0, 0, 0)


@pytest.mark.same_everywhere
def test_costs_the_same_for_many_as_for_few(
    reviewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    raffle = builders.create_raffle()
    for number in range(1, 13):
        create_waiting_order(raffle, number)

    with django_assert_max_num_queries(6):  # session, user, two for permissions, two of its own
        assert poll(reviewer)["waiting"] == 12


@pytest.mark.same_everywhere
def test_the_page_begins_with_the_version_it_shows(reviewer: Client) -> None:
    order = create_waiting_order(builders.create_raffle(), 1)

    page = reviewer.get(f"/admin/queue/?raffle={order.raffle_id}").content.decode()

    found = poll(reviewer, f"?raffle={order.raffle_id}")
    assert f'data-version="{found["version"]}"' in page
    assert f'data-queue="/admin/queue/state/?raffle={order.raffle_id}"' in page
    assert "<title>(1) Review queue" in page


@pytest.mark.same_everywhere
def test_who_is_not_logged_in_is_led_to_the_login(client: Client) -> None:
    answer = client.get(ADDRESS)

    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/admin/login/?next=/admin/queue/state/",
    )
