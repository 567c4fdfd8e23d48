"""Tests of the map of a raffle's numbers and of the search for a number's buyer."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.raffles.models import Raffle
from shared.use_cases import payments
from tests import builders
from tests.builders import NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db


def load_page(browser: Client, raffle: Raffle, **asked: Any) -> str:
    answer = browser.get(reverse("admin:desk_numbers", args=[raffle.pk]), asked)
    assert answer.status_code == 200
    return answer.content.decode()


class TestMap:
    def test_shows_whose_each_number_is_by_sign_and_in_words(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        sold = sample_data.place_order(raffle, numbers=[7])
        payments.confirm_payment(sold.pk, by=builders.build_staff_actor(), now=NOON)
        held = sample_data.place_order(raffle, numbers=[13])

        page = load_page(owner, raffle)

        order = reverse("admin:raffles_order_change", args=[sold.pk])
        assert f'class="cell sold" href="{order}">07<span class="visually-hidden"> sold' in page
        order = reverse("admin:raffles_order_change", args=[held.pk])
        assert f'class="cell held" href="{order}">13<span class="visually-hidden"> held' in page
        sale = reverse("admin:desk_sell", args=[raffle.pk])
        assert f'class="cell free" href="{sale}?numbers=08">08</a>' in page
        assert 'aria-label="1 sold, 1 held, 18 free"' in page

    def test_of_many_numbers_has_an_overview_and_turns_its_pages(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(numbers=1200)
        sample_data.place_order(raffle, numbers=[501, 502])

        with django_assert_max_num_queries(12):
            page = load_page(owner, raffle, **{"from": 700})

        assert "0501 to 1000" in page
        assert ">: 0 sold, 2 held, 498 free</span>" in page
        assert "?from=1#page" in page
        assert "?from=1001#page" in page
        assert page.count('class="cell ') == 500

    @pytest.mark.parametrize("wrong", ["x", "99999999999999999999"])
    def test_begins_somewhere_whatever_the_address_says(self, owner: Client, wrong: str) -> None:
        assert "cells" in load_page(owner, builders.create_raffle(numbers=3), **{"from": wrong})

    @pytest.mark.same_everywhere
    def test_says_so_before_the_numbers_are_made(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=3, with_numbers=False, status="DRAFT")

        assert "not made yet" in load_page(owner, raffle)

    @pytest.mark.same_everywhere
    def test_is_for_those_who_may_see_raffles(self, client: Client) -> None:
        client.force_login(sample_data.create_user("other", "view_order"))
        address = reverse("admin:desk_numbers", args=[builders.create_raffle(numbers=1).pk])

        assert client.get(address).status_code == 403


class TestSearch:
    @pytest.mark.parametrize("typed", ["07", " #7 "])
    def test_names_the_buyer_the_order_and_its_status(
        self, owner: Client, typed: str, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(numbers=100, first_number=0)
        order = sample_data.place_order(
            raffle, numbers=[7], buyer=builders.create_contact(profile_name="Ana")
        )

        with django_assert_max_num_queries(12):
            page = load_page(owner, raffle, number=typed)

        assert "is held</strong> for Ana, +1555010" in page
        assert f">{order.code}</a> · pending payment" in page
        assert "cell held sought" in page

    @pytest.mark.same_everywhere
    def test_finds_the_very_first_number_and_offers_a_free_one_for_cash(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=100, first_number=0)

        page = load_page(owner, raffle, number="0")

        assert "is free" in page
        assert (
            f"{reverse('admin:desk_sell', args=[raffle.pk])}?numbers=00" in page.split("found")[1]
        )

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("typed", ["101", "<script>"])
    def test_says_kindly_which_numbers_there_are(self, owner: Client, typed: str) -> None:
        page = load_page(owner, builders.create_raffle(numbers=100), number=typed)

        assert "There is no such number: they go from 001 to 100." in page
        assert "<script>" not in page.replace("<script ", "")

    @pytest.mark.same_everywhere
    def test_does_not_name_the_buyer_to_who_may_not_see_orders(self, client: Client) -> None:
        client.force_login(sample_data.create_user("looker", "view_raffle"))
        raffle = builders.create_raffle(numbers=10)
        sample_data.place_order(
            raffle, numbers=[7], buyer=builders.create_contact(profile_name="Ana")
        )

        page = load_page(client, raffle, number="7")

        assert "is held." in page
        assert "Ana" not in page
        assert "/admin/sell/" not in page
