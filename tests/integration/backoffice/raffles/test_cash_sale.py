"""Tests of cash sales in the back office: form, refusals and messages to the buyer."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import ActorKind, OrderStatus
from shared.raffles.models import Order, Raffle
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import list_messages
from tests.integration.concurrency import run_at_once


@pytest.fixture
def seller(db: None, client: Client) -> Client:
    client.force_login(sample_data.create_user("sally", "add_order", "view_order", "view_raffle"))
    return client


def build_sale_url(raffle: Raffle) -> str:
    return reverse("admin:desk_sell", args=[raffle.pk])


def post_sale(browser: Client, raffle: Raffle, **form: Any) -> Any:
    asked = {"how": "random", "quantity": "2", "buyer_name": "Ana", "request_key": str(uuid4())}
    return browser.post(build_sale_url(raffle), asked | form)


def post_picked_sale(browser: Client, raffle: Raffle, numbers: str, **form: Any) -> Any:
    return post_sale(browser, raffle, how="pick", numbers=numbers, **form)


class TestSale:
    def test_of_random_numbers_is_paid_at_once_and_bears_the_sellers_name(
        self, seller: Client
    ) -> None:
        raffle = builders.create_raffle()

        answer = post_sale(seller, raffle, buyer_phone="+1 (555) 010-0000")

        order = Order.objects.get()
        assert answer["Location"] == f"{build_sale_url(raffle)}?sold={order.pk}"
        assert (order.status, order.quantity) == (OrderStatus.PAID, 2)
        assert (order.buyer_name, order.buyer_phone) == ("Ana", "+1 (555) 010-0000")
        assert {(e.actor_kind, e.actor_label) for e in order.events.all()} == {
            (ActorKind.STAFF, "sally")
        }

    @pytest.mark.same_everywhere
    def test_of_chosen_numbers_reads_them_as_the_chat_does(self, seller: Client) -> None:
        raffle = builders.create_raffle()

        post_picked_sale(seller, raffle, "#7 and from 13 to 15")

        assert Order.objects.get().list_ticket_numbers() == [7, 13, 14, 15]

    @pytest.mark.same_everywhere
    def test_shows_the_numbers_and_words_for_the_buyer(
        self, seller: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle(time_zone="America/Bogota")
        sold = post_picked_sale(seller, raffle, "7 13", buyer_phone="+1 555 010 0000")["Location"]

        with django_assert_max_num_queries(12):
            page = seller.get(sold).content.decode()

        order = Order.objects.get()
        assert "<span>007</span> <span>013</span>" in page
        assert "Summer Raffle: 007 and 013 are yours, Ana." in page
        assert f"Paid: $10.00. Order {order.code}." in page
        assert "Draw: Sat 12 Dec 2037, 15:00. Good luck!" in page
        assert "https://wa.me/15550100000?text=Summer%20Raffle" in page
        assert (
            f'<a class="btn btn-primary" href="{build_sale_url(raffle)}">Sell another</a>' in page
        )

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("phone", "link"),
        [("0044 7400 123456", "https://wa.me/447400123456"), ("07400 123456", "")],
    )
    def test_offers_a_link_only_with_the_country_code(
        self, seller: Client, phone: str, link: str
    ) -> None:
        sold = post_picked_sale(seller, builders.create_raffle(), "7", buyer_phone=phone)

        page = seller.get(sold["Location"]).content.decode()

        assert ("https://wa.me/" in page) is bool(link)
        assert link in page

    def test_shows_no_order_that_was_not_sold_for_cash_in_this_raffle(self, seller: Client) -> None:
        raffle = builders.create_raffle()
        chat = sample_data.place_order(raffle, numbers=[7])

        for key in (chat.pk, 0, 10**30):
            assert seller.get(f"{build_sale_url(raffle)}?sold={key}").status_code == 404

    def test_sent_twice_sells_once_and_says_so(self, seller: Client) -> None:
        raffle, key = builders.create_raffle(), str(uuid4())

        first = post_sale(seller, raffle, request_key=key)
        second = post_sale(seller, raffle, request_key=key)

        assert second["Location"] == first["Location"]
        assert Order.objects.count() == 1
        messages = list_messages(second)
        assert "was sent before" in messages[0]


@pytest.mark.same_everywhere
@pytest.mark.django_db
class TestForm:
    def test_has_a_key_of_its_own_and_takes_numbers_from_the_map(
        self, seller: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()

        with django_assert_max_num_queries(12):
            first = seller.get(build_sale_url(raffle) + "?numbers=07").content.decode()
        second = seller.get(build_sale_url(raffle)).content.decode()

        key = first.split('name="request_key" value="')[1].split('"')[0]
        assert key not in second
        assert 'name="numbers" value="07"' in first
        assert "$5.00 a number · 100 free" in first

    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"buyer_name": " "}, "Whom do the numbers belong to?"),
            ({"buyer_phone": "call me"}, "does not look like a phone number"),
            ({"quantity": ""}, "How many numbers?"),
            ({"quantity": "21"}, "1 to 20 in one sale, please."),
            ({"how": "pick", "numbers": "the best"}, "Write the numbers like this"),
            ({"how": "pick", "numbers": "5 101"}, "101 is no number of this raffle."),
            (
                {"how": "pick", "numbers": "7 8 9"},
                "007 and 008 are taken already. Free close by: 004, 005, 006, 010 and 011.",
            ),
        ],
    )
    def test_says_at_its_field_why_nothing_was_sold_and_keeps_what_was_typed(
        self, seller: Client, form: dict[str, str], words: str
    ) -> None:
        raffle = builders.create_raffle()
        sample_data.place_order(raffle, numbers=[7, 8])
        key = str(uuid4())

        answer = post_sale(seller, raffle, **{"buyer_name": "Ana <b>", "request_key": key} | form)

        page = answer.content.decode()
        assert answer.status_code == 200
        assert words in page
        assert "Nothing was sold yet." in page
        assert "data-error-banner" in page
        assert '<a class="alert-link" href="#id_' in page
        assert f'value="{key}"' in page
        assert form.get("buyer_name") or 'value="Ana &lt;b&gt;"' in page
        assert not Order.objects.filter(contact=None).exists()

    def test_says_how_few_are_left(self, seller: Client) -> None:
        assert b"Only 1 are left." in post_sale(seller, builders.create_raffle(numbers=1)).content

    def test_offers_nothing_while_the_raffle_does_not_sell(self, seller: Client) -> None:
        raffle = builders.create_raffle(status="PAUSED")

        assert (
            b"Nothing can be sold just now: it is paused."
            in seller.get(build_sale_url(raffle)).content
        )
        assert b"sells nothing just now: it is paused." in post_sale(seller, raffle).content

    def test_says_that_the_sale_ends_an_hour_before_the_draw(self, seller: Client) -> None:
        draw = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
        raffle = builders.create_raffle(draw_at=draw, time_zone="America/Bogota")

        page = seller.get(build_sale_url(raffle)).content.decode()

        assert (
            "its sale is over since 20 Nov 2026, 14:00 (America/Bogota), an hour before the draw"
        ) in page
        assert "its sale is over" in post_sale(seller, raffle).content.decode()
        assert not Order.objects.exists()

    def test_is_for_those_who_may_sell(self, client: Client) -> None:
        raffle = builders.create_raffle()
        client.force_login(
            sample_data.create_user("rita", "view_order", "change_order", "view_raffle")
        )

        assert client.get(build_sale_url(raffle)).status_code == 403
        assert post_sale(client, raffle).status_code == 403
        assert not Order.objects.exists()


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_sell_one_form_once(self) -> None:
        raffle, key = builders.create_raffle(), str(uuid4())
        browsers = [Client(), Client()]
        user = sample_data.create_user("sally", "add_order")
        for browser in browsers:
            browser.force_login(user)

        answers = run_at_once(
            [partial(post_sale, browser, raffle, request_key=key) for browser in browsers]
        )

        order = Order.objects.get()
        assert {answer["Location"] for answer in answers} == {
            f"{build_sale_url(raffle)}?sold={order.pk}"
        }
        assert raffle.numbers.exclude(status="AVAILABLE").count() == 2
