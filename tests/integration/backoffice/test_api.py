"""The API as n8n uses it: what is answered, and what a repeat does."""

import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shared.conversation import settlement
from shared.core.enums import OrderStatus, RaffleStatus
from shared.raffles.models import Order, Raffle
from shared.raffles.services import orders
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import shop

pytestmark = pytest.mark.django_db

ERROR_KEYS = {"code", "message", "detail", "retryable"}


class Api:
    """A program with a token."""

    def __init__(self, key: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def post(self, path: str, body: Any = None) -> Any:
        if body is None:
            return self.client.post(path)
        return self.client.post(path, json.dumps(body), content_type="application/json")

    def confirm(self, order: Order, **body: Any) -> Any:
        return self.post(f"/api/orders/{order.pk}/confirm-payment", body)


@pytest.fixture
def api(db: None) -> Api:
    return Api(shop.a_token())


def expire(order: Order) -> None:
    with transaction.atomic():
        assert orders.expire(orders.lock(order.pk), now=NOON + 60 * MINUTE)


class TestConfirmPayment:
    def test_sells_the_numbers_and_says_who_and_when(self, api: Api) -> None:
        order = shop.an_order(numbers=[7, 13])

        answer = api.confirm(order)

        assert answer.status_code == 200
        body = answer.json()
        assert body["status"] == "PAID"
        assert body["numbers"] == ["007", "013"]
        assert (body["already_confirmed"], body["late"]) == (False, False)
        assert body["confirmed_by"] == {"kind": "token", "label": "n8n"}
        assert body["confirmed_at"].endswith("+00:00")
        assert body["buyer_notified"] == "queued"
        assert (body["id"], body["code"]) == (order.pk, order.code)

    def test_a_repeat_changes_nothing_and_tells_the_buyer_once(self, api: Api) -> None:
        order = shop.an_order()
        first = api.confirm(order).json()

        again = api.confirm(order)

        assert again.status_code == 200
        assert again.json() == first | {"already_confirmed": True}
        assert OutboundMessage.objects.filter(key="paid").count() == 1

    @pytest.mark.parametrize("slash", ["", "/"])
    @pytest.mark.parametrize("spelling", ["{id}", "{code}", "{lower}", "{bare}"])
    def test_takes_an_id_or_a_code_with_or_without_a_slash(
        self, api: Api, slash: str, spelling: str
    ) -> None:
        order = shop.an_order()
        code = str(order.code)
        reference = spelling.format(
            id=order.pk, code=code, lower=code.lower(), bare=code.removeprefix("R-")
        )

        answer = api.post(f"/api/orders/{reference}/confirm-payment{slash}")

        assert answer.status_code == 200
        assert answer.json()["id"] == order.pk

    def test_takes_the_numbers_back_when_it_is_late_and_all_are_free(self, api: Api) -> None:
        order = shop.an_order()
        expire(order)

        body = api.confirm(order).json()

        assert (body["status"], body["late"]) == ("PAID", True)
        assert api.confirm(order).json()["late"] is True

    def test_flags_an_order_whose_numbers_are_gone_and_sells_nothing(self, api: Api) -> None:
        raffle = builders.raffle()
        late = shop.an_order(raffle, numbers=[7, 13])
        expire(late)
        shop.an_order(raffle, numbers=[7])

        answer = api.confirm(late)

        assert answer.status_code == 409
        body = answer.json()
        assert body["code"] == "numbers_taken"
        assert (body["taken"], body["free"]) == (["007"], ["013"])
        assert (body["needs_decision"], body["retryable"]) == (True, False)
        assert body["order"]["status"] == "EXPIRED"
        assert body["order"]["needs_decision"] is True
        assert body["message"]

    def test_refuses_an_order_the_buyer_has_not_confirmed(self, api: Api) -> None:
        hold = shop.a_hold(builders.raffle(), numbers=[7])

        answer = api.confirm(hold)

        assert (answer.status_code, answer.json()["code"]) == (409, "order_not_placed")

    def test_refuses_after_the_draw(self, api: Api) -> None:
        order = shop.an_order()
        Raffle.objects.update(status=RaffleStatus.DRAWN)

        answer = api.confirm(order)

        assert (answer.status_code, answer.json()["code"]) == (409, "raffle_drawn")

    def test_stops_at_a_proof_that_was_not_looked_at(self, api: Api) -> None:
        order = shop.an_order()
        seen, unseen = shop.a_proof(order), shop.a_proof(order)

        answer = api.confirm(order, proofs=[seen.pk])

        assert (answer.status_code, answer.json()["code"]) == (409, "proof_unseen")
        assert answer.json()["detail"] == {"proof_ids": [unseen.pk]}
        assert api.confirm(order, proofs=[seen.pk, unseen.pk]).status_code == 200

    def test_stops_at_another_amount_unless_the_difference_is_accepted(self, api: Api) -> None:
        order = shop.an_order(numbers=[7, 13])

        answer = api.confirm(order, amount="9.99")

        assert (answer.status_code, answer.json()["code"]) == (422, "amount_mismatch")
        assert answer.json()["detail"] == {
            "expected": "10.00",
            "received": "9.99",
            "currency": "USD",
        }
        assert api.confirm(order, amount="9.99", accept_difference=True).status_code == 200

    @pytest.mark.parametrize("amount", ["10.00", "10", 10, 10.0])
    def test_takes_the_right_amount_however_it_is_written(self, api: Api, amount: Any) -> None:
        order = shop.an_order(numbers=[7, 13])

        assert api.confirm(order, amount=amount).status_code == 200

    @pytest.mark.parametrize(
        "reference", ["999", "R-22222", "nonsense", "9" * 30, "%00", "0", "-1", "R-%F0%9F%8E%9F"]
    )
    def test_an_order_that_does_not_exist_is_404(self, api: Api, reference: str) -> None:
        answer = api.post(f"/api/orders/{reference}/confirm-payment")

        assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")

    @pytest.mark.parametrize(
        "body",
        [
            "{",
            "[]",
            '"text"',
            '{"amount": "much"}',
            '{"amount": -1}',
            '{"amount": NaN}',
            '{"proofs": "7"}',
            '{"proofs": [null]}',
            '{"accept_difference": "perhaps"}',
        ],
    )
    def test_a_malformed_body_is_400_and_changes_nothing(self, api: Api, body: str) -> None:
        order = shop.an_order()

        answer = api.client.post(
            f"/api/orders/{order.pk}/confirm-payment", body, content_type="application/json"
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("kind", ["text/plain", "application/xml"])
    def test_a_body_that_is_neither_json_nor_a_form_is_415(self, api: Api, kind: str) -> None:
        order = shop.an_order()

        answer = api.client.post(
            f"/api/orders/{order.pk}/confirm-payment", "a=b", content_type=kind
        )

        assert answer.status_code == 415
        assert answer.json().keys() >= ERROR_KEYS

    def test_a_form_is_understood_too(self, api: Api) -> None:
        order = shop.an_order(numbers=[7, 13])

        answer = api.client.post(f"/api/orders/{order.pk}/confirm-payment", {"amount": "1.00"})

        assert answer.json()["code"] == "amount_mismatch"


class TestCancel:
    def test_frees_the_numbers_and_tells_the_buyer(self, api: Api) -> None:
        order = shop.an_order(numbers=[7, 13])

        answer = api.post(f"/api/orders/{order.code}/cancel/", {"reason": "sold twice elsewhere"})

        assert answer.status_code == 200
        body = answer.json()
        assert (body["status"], body["already_cancelled"]) == ("CANCELLED", False)
        assert body["numbers"] == ["007", "013"]
        assert body["cancelled_by"] == {"kind": "token", "label": "n8n"}
        assert body["buyer_notified"] == "queued"

    def test_a_repeat_changes_nothing(self, api: Api) -> None:
        order = shop.an_order()
        first = api.post(f"/api/orders/{order.pk}/cancel").json()

        again = api.post(f"/api/orders/{order.pk}/cancel")

        assert again.status_code == 200
        assert again.json() == first | {"already_cancelled": True}

    def test_refuses_a_paid_and_an_expired_order(self, api: Api) -> None:
        paid, expired = shop.an_order(), shop.an_order()
        api.confirm(paid)
        expire(expired)

        refused = [api.post(f"/api/orders/{order.pk}/cancel") for order in (paid, expired)]

        assert [answer.status_code for answer in refused] == [409, 409]
        assert [answer.json()["code"] for answer in refused] == [
            "order_already_paid",
            "order_ended",
        ]


class TestOrderList:
    def test_an_item_has_everything_a_reviewer_needs(self, api: Api) -> None:
        buyer = builders.contact(profile_name="Ana", wa_id="15550109999", user_id="US.1")
        order = shop.an_order(numbers=[7, 13], buyer=buyer)
        proof = shop.with_file(shop.a_proof(order))

        body = api.get("/api/orders?status=PENDING_PAYMENT").json()

        assert (body["count"], body["next"], body["previous"]) == (1, None, None)
        assert body["results"] == [
            {
                "id": order.pk,
                "code": order.code,
                "status": "PENDING_PAYMENT",
                "raffle": {"id": order.raffle_id, "title": "Summer Raffle"},
                "buyer": {"name": "Ana", "phone": "+15550109999", "user_id": "US.1"},
                "numbers": ["007", "013"],
                "quantity": 2,
                "unit_price": "5.00",
                "total": "10.00",
                "currency": "USD",
                "created_at": "2026-11-22T12:00:00+00:00",
                "placed_at": "2026-11-22T12:00:00+00:00",
                "expires_at": None,
                "under_review_since": "2026-11-22T12:01:00+00:00",
                "closed_at": None,
                "needs_decision": False,
                "proofs": [
                    {
                        "id": proof.pk,
                        "status": "KEPT",
                        "verdict": "PENDING",
                        "content_type": "image/jpeg",
                        "arrived_at": "2026-11-22T12:01:00+00:00",
                        "late": False,
                        "sha256": proof.sha256,
                    }
                ],
            }
        ]

    def test_a_sale_for_cash_has_no_buyer(self, api: Api) -> None:
        builders.order(builders.raffle(numbers=1))

        assert api.get("/api/orders/").json()["results"][0]["buyer"] is None

    def test_filters_by_status_raffle_review_and_decision(self, api: Api) -> None:
        raffle = builders.raffle()
        reviewed, waiting = (shop.an_order(raffle, numbers=[n]) for n in (1, 2))
        shop.a_proof(reviewed)
        hold = shop.a_hold(builders.raffle(), numbers=[3])

        def listed(query: str) -> list[int]:
            return [row["id"] for row in api.get(f"/api/orders?{query}").json()["results"]]

        assert listed("status=DRAFT") == [hold.pk]
        assert listed("status=PENDING_PAYMENT") == [reviewed.pk, waiting.pk]
        assert listed(f"raffle={raffle.pk}&under_review=true") == [reviewed.pk]
        assert listed("under_review=false") == [waiting.pk, hold.pk]
        assert listed("needs_decision=true") == []

    def test_pages_lead_on_by_absolute_addresses(self, api: Api) -> None:
        raffle = builders.raffle()
        placed = [shop.an_order(raffle, numbers=[n]).pk for n in range(1, 4)]

        first = api.get("/api/orders?page_size=2").json()
        second = api.get(first["next"]).json()

        assert first["next"].startswith("http://127.0.0.1:8000/api/orders?")
        assert [row["id"] for row in first["results"] + second["results"]] == placed
        assert second["next"] is None

    def test_a_page_is_never_longer_than_two_hundred(self, api: Api) -> None:
        raffle = builders.raffle(numbers=1)
        for _ in range(201):
            builders.order(raffle)

        assert len(api.get("/api/orders?page_size=5000").json()["results"]) == 200

    @pytest.mark.parametrize("query", ["status=NONSENSE", "raffle=x", "under_review=perhaps"])
    def test_a_filter_it_does_not_know_is_400(self, api: Api, query: str) -> None:
        answer = api.get(f"/api/orders?{query}")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    @pytest.mark.parametrize(
        "query", ["page_size=0", "after=x", "before=-1", "after=1&before=9", "ordering=code"]
    )
    def test_a_page_that_cannot_be_is_malformed(self, api: Api, query: str) -> None:
        answer = api.get(f"/api/orders?{query}")

        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    def test_many_orders_take_as_many_queries_as_few(
        self, api: Api, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.raffle()
        for number in range(1, 21):
            shop.a_proof(shop.an_order(raffle, numbers=[number, number + 50]))

        with django_assert_max_num_queries(8):
            assert len(api.get("/api/orders").json()["results"]) == 20


class TestAvailability:
    def test_counts_free_held_and_sold_numbers(self, api: Api) -> None:
        raffle = builders.raffle(numbers=10)
        settlement.confirm_payment(
            shop.an_order(raffle, numbers=[1, 2]).pk, by=builders.a_reviewer(), now=NOON
        )
        shop.an_order(raffle, numbers=[3])

        answer = api.get(f"/api/raffles/{raffle.pk}/availability/")

        assert answer.status_code == 200
        body = answer.json()
        assert (body["total"], body["available"], body["reserved"], body["sold"]) == (10, 7, 1, 2)
        assert (body["status"], body["selling"], body["why_not"]) == ("OPEN", True, None)
        assert body["unit_price"] == "5.00"

    def test_says_why_a_raffle_sells_nothing(self, api: Api) -> None:
        raffle = builders.raffle(numbers=1, status=RaffleStatus.PAUSED)

        body = api.get(f"/api/raffles/{raffle.pk}/availability").json()

        assert (body["selling"], body["why_not"]) == (False, "paused")

    @pytest.mark.parametrize("reference", ["999", "x", "9" * 40, "-1", "%00"])
    def test_a_raffle_that_does_not_exist_is_404(self, api: Api, reference: str) -> None:
        answer = api.get(f"/api/raffles/{reference}/availability")

        assert (answer.status_code, answer.json()["code"]) == (404, "raffle_not_found")
