"""Tests of raffles over the API: terms, number ranges, statistics and life cycle."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OrderStatus, RaffleStatus, Scope
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.use_cases import payments, reversals
from tests import builders
from tests.builders import DRAW, NOON
from tests.integration.backoffice import sample_data

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> Client:
    return Client(
        headers={"Authorization": f"Bearer {sample_data.create_api_token(scope=Scope.READ)}"}
    )


@pytest.fixture
def admin(db: None) -> Client:
    return Client(
        headers={
            "Authorization": f"Bearer {sample_data.create_api_token('boss', scope=Scope.ADMIN)}"
        }
    )


@pytest.fixture
def raffle(db: None) -> Raffle:
    """Create a raffle of 20 numbers: 7 and 8 are sold, 13 is held."""
    made = builders.create_raffle(numbers=20, time_zone="America/Bogota")
    sold = sample_data.place_order(made, numbers=[7, 8])
    payments.confirm_payment(sold.pk, by=builders.build_staff_actor(), now=NOON)
    sample_data.place_order(made, numbers=[13])
    return made


def format_ranges(answer: Any) -> list[str]:
    """Return the ranges of an answer, each as "07-08 SOLD 2"."""
    assert answer.status_code == 200, answer.content
    return [
        f"{each['from']}-{each['to']} {each['status']} {each['count']}"
        for each in answer.json()["ranges"]
    ]


class TestRaffle:
    @pytest.mark.same_everywhere
    def test_says_what_is_raffled_and_on_which_terms(self, api: Client) -> None:
        raffle = builders.create_raffle(numbers=20, hold_minutes=45, max_per_contact=None)

        body = api.get(f"/api/raffles/{raffle.pk}/").json()

        assert body["id"] == raffle.pk
        assert (body["price"], body["currency"]) == ("5.00", "USD")
        assert (body["first_number"], body["last_number"], body["width"]) == ("01", "20", 2)
        assert (body["draw_at"], body["draw_when_sold_out"]) == (DRAW.isoformat(), False)
        assert (body["sales_close_at"], body["sales_end_at"]) == (
            None,
            (DRAW - timedelta(hours=1)).isoformat(),
        )
        assert (body["selling"], body["why_not"]) == (True, None)
        assert (body["hold_minutes"], body["max_per_contact"]) == (45, None)

    def test_a_list_is_chosen_by_status_and_cut_by_id(self, api: Client) -> None:
        made = [
            builders.create_raffle(numbers=1, status=s).pk for s in ("OPEN", "PAUSED", "CLOSED")
        ]

        first = api.get("/api/raffles?status=PAUSED,CLOSED&page_size=1").json()
        second = api.get(first["next"]).json()

        assert [first["count"], first["results"][0]["id"]] == [2, made[1]]
        assert [row["id"] for row in second["results"]] == [made[2]]
        assert (second["next"], second["results"][0]["why_not"]) == (None, "closed")

    @pytest.mark.parametrize("path", ["", "/availability", "/numbers", "/statistics"])
    @pytest.mark.parametrize("key", ["999", "Summer", "9" * 30, "-1"])
    def test_an_unknown_raffle_is_not_found(self, api: Client, path: str, key: str) -> None:
        answer = api.get(f"/api/raffles/{key}{path}")

        assert (answer.status_code, answer.json()["code"]) == (404, "raffle_not_found")

    def test_availability_counts_what_is_left(self, api: Client, raffle: Raffle) -> None:
        body = api.get(f"/api/raffles/{raffle.pk}/availability").json()

        assert {name: body[name] for name in ("total", "available", "reserved", "sold")} == {
            "total": 20,
            "available": 17,
            "reserved": 1,
            "sold": 2,
        }


class TestNumbers:
    def test_are_ranges_of_equal_status(self, api: Client, raffle: Raffle) -> None:
        answer = api.get(f"/api/raffles/{raffle.pk}/numbers")

        assert format_ranges(answer) == [
            "01-06 AVAILABLE 6",
            "07-08 SOLD 2",
            "09-12 AVAILABLE 4",
            "13-13 RESERVED 1",
            "14-20 AVAILABLE 7",
        ]
        body = answer.json()
        del body["ranges"]
        assert body == {
            "id": raffle.pk,
            "width": 2,
            "first": "01",
            "last": "20",
            "count": 20,
            "next": None,
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("status=sold", ["07-08 SOLD 2"]),
            ("status=RESERVED", ["13-13 RESERVED 1"]),
            ("after=13", ["14-20 AVAILABLE 7"]),
            ("after=20", []),
            ("numbers=13,6-8,007", ["06-06 AVAILABLE 1", "07-08 SOLD 2", "13-13 RESERVED 1"]),
            ("numbers=1-20&status=sold", ["07-08 SOLD 2"]),
        ],
    )
    def test_are_chosen(self, api: Client, raffle: Raffle, query: str, expected: list[str]) -> None:
        assert format_ranges(api.get(f"/api/raffles/{raffle.pk}/numbers?{query}")) == expected

    def test_go_on_at_an_absolute_address(self, api: Client, raffle: Raffle) -> None:
        first = api.get(f"/api/raffles/{raffle.pk}/numbers?limit=2&status=available")

        following = first.json()["next"]
        assert following.startswith("http")
        assert format_ranges(first) + format_ranges(api.get(following)) == [
            "01-06 AVAILABLE 6",
            "09-12 AVAILABLE 4",
            "14-20 AVAILABLE 7",
        ]

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        ("query", "culprit"),
        [
            ("numbers=7-21", "numbers"),
            ("numbers=0", "numbers"),
            ("numbers=8-7", "numbers"),
            ("numbers=7;8", "numbers"),
            ("numbers=" + ",".join(["1-20"] * 51), "numbers"),
            ("numbers=7&after=3", "after"),
            ("status=gone", "status"),
            ("limit=0", "limit"),
            ("after=x", "after"),
            ("page_size=7", "page_size"),
            ("after=1&after=2", "after"),
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused_by_name(
        self, api: Client, raffle: Raffle, query: str, culprit: str
    ) -> None:
        answer = api.get(f"/api/raffles/{raffle.pk}/numbers?{query}")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert list(answer.json()["detail"]) == [culprit]


@pytest.mark.same_everywhere
class TestLife:
    def test_goes_on_by_post_and_a_repeat_says_so(self, admin: Client) -> None:
        raffle = builders.create_raffle(numbers=3, status=RaffleStatus.DRAFT)
        steps = ["open", "open", "pause", "pause", "open", "close", "close"]

        answers = [admin.post(f"/api/raffles/{raffle.pk}/{step}") for step in steps]

        assert {answer.status_code for answer in answers} == {200}
        assert [(a.json()["status"], a.json()["already"]) for a in answers] == [
            ("OPEN", False),
            ("OPEN", True),
            ("PAUSED", False),
            ("PAUSED", True),
            ("OPEN", False),
            ("CLOSED", False),
            ("CLOSED", True),
        ]

    @pytest.mark.parametrize(
        ("status", "numbers", "step", "code"),
        [
            ("CLOSED", True, "open", "transition_not_allowed"),
            ("DRAFT", True, "pause", "transition_not_allowed"),
            ("DRAWN", True, "close", "transition_not_allowed"),
            ("DRAFT", False, "open", "numbers_missing"),
            ("SEALED", True, "call-off", "transition_not_allowed"),
            ("DRAWN", True, "call-off", "transition_not_allowed"),
        ],
    )
    def test_a_step_that_cannot_be_taken_is_refused(
        self, admin: Client, status: str, numbers: bool, step: str, code: str
    ) -> None:
        raffle = builders.create_raffle(numbers=3, with_numbers=numbers, status=status)

        answer = admin.post(f"/api/raffles/{raffle.pk}/{step}", {"reason": "why"})

        assert (answer.status_code, answer.json()["code"]) == (409, code)

    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"time_zone_confirmed": False}, "time_zone_not_confirmed"),
            ({"draw_at": None}, "draw_date_missing"),
            ({"draw_at": NOON - timedelta(days=400)}, "draw_date_not_ahead"),
            ({"sales_close_at": NOON - timedelta(days=400)}, "sales_end_not_ahead"),
        ],
    )
    def test_a_raffle_without_sensible_dates_does_not_open(
        self, admin: Client, terms: dict[str, Any], code: str
    ) -> None:
        raffle = builders.create_raffle(numbers=3, status=RaffleStatus.DRAFT, **terms)

        answer = admin.post(f"/api/raffles/{raffle.pk}/open")

        assert (answer.status_code, answer.json()["code"]) == (409, code)

    def test_is_called_off_once_and_the_reason_is_kept(self, admin: Client) -> None:
        raffle = builders.create_raffle(numbers=3)

        answers = [
            admin.post(f"/api/raffles/{raffle.pk}/call-off", {"reason": reason})
            for reason in ("The permit was withdrawn", "Again")
        ]

        assert [(a.json()["status"], a.json()["already"]) for a in answers] == [
            ("CANCELLED", False),
            ("CANCELLED", True),
        ]
        assert (answers[0].json()["selling"], answers[0].json()["why_not"]) == (False, "cancelled")
        event = RaffleEvent.objects.get(raffle=raffle)
        assert (event.actor_label, event.reason) == ("boss", "The permit was withdrawn")

    @pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "x" * 501}])
    def test_is_not_called_off_without_a_reason(self, admin: Client, body: dict[str, str]) -> None:
        raffle = builders.create_raffle(numbers=3)

        answer = admin.post(f"/api/raffles/{raffle.pk}/call-off", body)

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert "reason" in answer.json()["detail"]

    @pytest.mark.parametrize("step", ["close", "call-off"])
    def test_needs_the_scope_admin_and_a_raffle(self, admin: Client, step: str) -> None:
        reviewer = Client(headers={"X-API-Key": sample_data.create_api_token()})
        raffle, body = builders.create_raffle(numbers=1), {"reason": "why"}

        refused = reviewer.post(f"/api/raffles/{raffle.pk}/{step}", body)

        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert admin.post(f"/api/raffles/999/{step}", body).json()["code"] == "raffle_not_found"
        raffle.refresh_from_db()
        assert raffle.status == RaffleStatus.OPEN


def confirm_payment_at(order: Order, at: datetime) -> None:
    payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=at)
    Order.objects.filter(pk=order.pk).update(placed_at=at)


def build_money(currency: str = "USD", **amounts: str) -> dict[str, str]:
    """Return money of a response in which nothing came in or went back, but for `amounts`."""
    parts = ("paid", "back", "undone", "refunded", "late_refunds")
    return {"currency": currency, **dict.fromkeys(parts, "0.00"), **amounts}


class TestStatistics:
    """A raffle in Bogota, five hours behind UTC, and one in euros."""

    @pytest.fixture
    def raffle_with_sales(self, db: None) -> Raffle:
        """Create sales of three days and orders that are held, unpaid or flagged."""
        raffle = builders.create_raffle(numbers=20, time_zone="America/Bogota")
        midnight = (
            timezone.now()
            .astimezone(ZoneInfo("America/Bogota"))
            .replace(hour=0, minute=0, second=0, microsecond=0)
        )
        confirm_payment_at(sample_data.place_order(raffle, numbers=[1, 2, 3]), midnight)
        confirm_payment_at(
            sample_data.place_order(raffle, numbers=[4]), midnight - timedelta(seconds=1)
        )
        confirm_payment_at(
            sample_data.place_order(raffle, numbers=[5]), midnight - timedelta(days=400)
        )
        sample_data.receive_proof(sample_data.place_order(raffle, numbers=[6, 7]))
        sample_data.hold_numbers(raffle, numbers=[8])
        fields: dict[str, Any] = {"expires_at": None, "closed_at": NOON, "placed_at": NOON}
        builders.create_order_row(raffle, status=OrderStatus.EXPIRED, needs_decision=True, **fields)
        euros = builders.create_raffle(numbers=5, currency="EUR")
        sample_data.place_order(euros, numbers=[1])
        sample_data.receive_proof(None, contact_id=builders.create_contact().pk)
        return raffle

    def test_of_a_raffle_count_orders_numbers_money_and_its_days(
        self,
        api: Client,
        raffle_with_sales: Raffle,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_max_num_queries(9):
            answer = api.get(f"/api/raffles/{raffle_with_sales.pk}/statistics?days=2")

        body = answer.json()
        assert body["orders"] == {
            "draft": 1,
            "pending_payment": 1,
            "paid": 3,
            "cancelled": 0,
            "expired": 1,
        }
        assert body["numbers"] == {"total": 20, "available": 12, "reserved": 3, "sold": 5}
        assert body["money"] == [build_money(paid="25.00", balance="25.00", waiting="10.00")]
        assert (body["proofs_waiting"], body["decisions_needed"]) == (1, 1)
        assert body["time_zone"] == "America/Bogota"
        yesterday, today = body["days"]
        assert [today[name] for name in ("paid", "numbers")] == [1, 3]
        assert today["money"] == [build_money(paid="15.00")]
        assert [yesterday[name] for name in ("placed", "paid", "numbers")] == [1, 1, 1]
        assert today["day"] == f"{timezone.now().astimezone(ZoneInfo('America/Bogota')):%F}"

    def test_of_all_raffles_add_up_in_each_currency(
        self,
        api: Client,
        raffle_with_sales: Raffle,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_max_num_queries(9):
            body = api.get("/api/statistics").json()

        assert body["orders"]["pending_payment"] == 2
        assert body["numbers"] == {"total": 25, "available": 16, "reserved": 4, "sold": 5}
        assert body["money"] == [
            build_money("EUR", balance="0.00", waiting="5.00"),
            build_money(paid="25.00", balance="25.00", waiting="10.00"),
        ]
        assert [body[n] for n in ("proofs_waiting", "orphan_proofs", "decisions_needed")] == [1] * 3
        assert [raffle["id"] for raffle in body["raffles"]] == [
            raffle_with_sales.pk + 1,
            raffle_with_sales.pk,
        ]
        assert body["raffles"][1]["money"][0]["paid"] == "25.00"
        assert len(body["days"]) == 30
        assert sum(day["paid"] for day in body["days"]) == 2

    def test_of_a_past_day_stay_when_money_goes_back_today(
        self, api: Client, raffle_with_sales: Raffle
    ) -> None:
        address = f"/api/raffles/{raffle_with_sales.pk}/statistics?days=2"
        yesterday = api.get(address).json()["days"][0]
        order = Order.objects.get(tickets__number=4)
        paid = order.events.get(action="PAID")
        by, now = builders.build_staff_actor(), timezone.now()
        reversals.undo_confirmation(
            order.pk, confirmation_id=paid.pk, reason="A mistake.", by=by, now=now
        )

        body = api.get(address).json()

        back = {"back": "5.00", "undone": "5.00"}
        assert body["days"][0] == yesterday
        assert body["days"][1]["money"] == [build_money(paid="15.00", **back)]
        assert [body["days"][1][name] for name in ("paid_back", "numbers_back")] == [1, 1]
        assert body["money"] == [
            build_money(paid="25.00", balance="20.00", waiting="15.00", **back)
        ]
        assert (body["orders"]["paid"], body["numbers"]["sold"]) == (2, 4)

    def test_of_a_whole_year_find_the_day_of_each(
        self, api: Client, raffle_with_sales: Raffle
    ) -> None:
        days = api.get(f"/api/raffles/{raffle_with_sales.pk}/statistics?days=366").json()["days"]

        assert [place for place, day in enumerate(days) if day["paid"]] == [364, 365]
        assert len({day["day"] for day in days}) == 366

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "day=3", "days=1&days=2"])
    def test_of_days_that_make_no_sense_are_refused(self, api: Client, query: str) -> None:
        answer = api.get(f"/api/statistics?{query}")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
