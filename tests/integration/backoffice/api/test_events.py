"""Tests of the event feed, endpoints and deliveries over the API."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import EventDeliveryStatus, EventType, Scope
from shared.events.models import EventDelivery, EventEndpoint
from shared.publishing import recorder
from shared.use_cases import payments
from tests import builders
from tests.builders import NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram, parse_refusal
from tests.integration.events import event_builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram(sample_data.create_api_token(scope=Scope.READ))


@pytest.fixture
def admin(db: None) -> ApiProgram:
    return ApiProgram(sample_data.create_api_token("boss", scope=Scope.ADMIN))


def parse_sequences(answer: Any) -> list[int]:
    """Return the sequence numbers of the events in an answer."""
    assert answer.status_code == 200, answer.content
    return [event["sequence"] for event in answer.json()["results"]]


class TestFeed:
    def test_tells_a_purchase_with_links_that_lead_somewhere(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        proof = sample_data.keep_proof_file(sample_data.receive_proof(order))
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        recorder.sequence_events(now=NOON)

        body = api.get("/api/events/").json()

        created, received, paid = body["results"]
        assert [event["type"] for event in body["results"]] == [
            "order.created",
            "order.proof_received",
            "order.paid",
        ]
        assert [created["data"]["order"]["code"], paid["data"]["order"]["status"]] == [
            order.code,
            "PAID",
        ]
        link = received["data"]["proof"]["url"]
        sent = Client().get(link[link.index("/api/") :])
        assert b"".join(sent.streaming_content) == sample_data.draw_picture()  # type: ignore[attr-defined]
        assert received["data"]["proof"]["id"] == proof.pk
        confirm = received["data"]["actions"]["confirm_url"]
        assert confirm.endswith(f"/api/orders/{order.pk}/confirm-payment")
        assert body["next_after"] == paid["sequence"]
        assert (body["more"], body["next"]) == (False, None)

    def test_goes_on_from_the_place_that_was_read(
        self, api: ApiProgram, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for type_ in (EventType.ORDER_PAID, EventType.CHANNEL_ALERT, EventType.ORDER_PAID):
            event_builders.record_event(type_)
        first, second, third = (place or 0 for place in event_builders.sequence_events())
        event_builders.record_event()

        with django_assert_max_num_queries(4):
            page = api.get("/api/events?limit=1&types=order.paid,order.created")

        assert (parse_sequences(page), page.json()["more"]) == ([first], True)
        assert parse_sequences(api.get(page.json()["next"])) == [third]
        assert parse_sequences(api.get(f"/api/events?after={first}&limit=9999")) == [second, third]
        assert parse_sequences(api.get("/api/events?types=channel.alert&types=order.paid")) == [
            first,
            second,
            third,
        ]
        end = api.get(f"/api/events?after={third}").json()
        assert (end["results"], end["next_after"], end["more"]) == ([], third, False)

    @pytest.mark.same_everywhere
    @pytest.mark.parametrize(
        "query",
        ["after=-1", "after=x", "limit=0", "types=order.payed", "since=3", "after=1&after=2"],
    )
    def test_a_question_that_makes_no_sense_is_refused(self, api: ApiProgram, query: str) -> None:
        assert parse_refusal(api.get(f"/api/events?{query}")) == (400, "malformed")


@pytest.mark.same_everywhere
class TestEndpoints:
    ABOUT = {"name": "n8n", "url": "https://n8n.example/webhook/raffle"}

    def test_shows_the_secret_once_and_the_header_never(self, admin: ApiProgram) -> None:
        header = {"header_name": "X-N8N-Key", "header_value": "open sesame"}

        made = admin.post("/api/endpoints", self.ABOUT | header | {"types": ["order.paid"]})

        assert made.status_code == 201
        body = made.json()
        kept = EventEndpoint.objects.get(pk=body["id"])
        assert (body["secret"], kept.header_value) == (kept.secret, "open sesame")
        assert (body["types"], body["active"], body["created_by"]) == (["order.paid"], True, "boss")
        shown = admin.get(f"/api/endpoints/{kept.pk}").json()
        assert shown == {name: value for name, value in body.items() if name != "secret"}
        listed = admin.get("/api/endpoints")
        assert listed.json()["results"] == [shown]
        assert b"open sesame" not in made.content + listed.content

    @pytest.mark.parametrize(
        ("about", "status", "code"),
        [
            ({"url": "ftp://n8n.example"}, 422, "address_malformed"),
            ({"url": "http://10.0.0.7/webhook"}, 422, "address_private"),
            ({"types": ["order.payed"]}, 400, "malformed"),
            ({"types": "order.paid"}, 400, "malformed"),
            ({"header_name": "X-Key"}, 422, "header_refused"),
            ({"secret": "whsec_short"}, 422, "secret_refused"),
            ({"name": ""}, 400, "malformed"),
            ({"name": "taken"}, 409, "endpoint_name_taken"),
            ({"colour": "red"}, 400, "malformed"),
        ],
    )
    def test_refuses_what_could_not_work(
        self, admin: ApiProgram, about: dict[str, Any], status: int, code: str
    ) -> None:
        event_builders.create_endpoint(name="taken")

        assert parse_refusal(admin.post("/api/endpoints", self.ABOUT | about)) == (status, code)
        assert EventEndpoint.objects.count() == 1

    def test_are_switched_off_and_on_and_deleted(self, admin: ApiProgram) -> None:
        endpoint = event_builders.create_endpoint()
        event_builders.create_delivery(endpoint)
        path = f"/api/endpoints/{endpoint.pk}"

        def switch(active: Any) -> Any:
            return admin.client.patch(path, {"active": active}, content_type="application/json")

        off = switch(False).json()
        assert (off["active"], off["disabled_reason"]) == (False, "Switched off by boss.")
        assert switch(True).json()["disabled_reason"] is None
        assert parse_refusal(switch("perhaps")) == (400, "malformed")
        assert admin.client.delete(path).status_code == 204
        assert EventDelivery.objects.count() == 0
        assert parse_refusal(admin.client.delete(path)) == (404, "endpoint_not_found")

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "endpoints"),
            ("post", "endpoints"),
            ("delete", "endpoints/1"),
            ("get", "deliveries"),
            ("post", "deliveries/1/resend"),
        ],
    )
    def test_are_for_the_scope_admin_alone(self, db: None, method: str, path: str) -> None:
        reviewer = ApiProgram()

        answer = getattr(reviewer.client, method)(f"/api/{path}")

        assert parse_refusal(answer) == (403, "scope_missing")


class TestDeliveries:
    def test_are_chosen_by_endpoint_and_status(
        self, admin: ApiProgram, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        first, second = (
            event_builders.create_endpoint(name="first"),
            event_builders.create_endpoint(),
        )
        failed = event_builders.create_delivery(
            first, status=EventDeliveryStatus.FAILED, next_attempt_at=None
        )
        waiting, elsewhere = (
            event_builders.create_delivery(first),
            event_builders.create_delivery(second),
        )

        def listed(query: str) -> list[int]:
            with django_assert_max_num_queries(5):
                rows = admin.get(f"/api/deliveries?{query}").json()["results"]
            return [row["id"] for row in rows]

        assert listed("") == [elsewhere.pk, waiting.pk, failed.pk]
        assert listed(f"endpoint={first.pk}&ordering=id") == [failed.pk, waiting.pk]
        assert listed(f"endpoint={first.pk}&status=FAILED,SENDING") == [failed.pk]
        [shown] = admin.get("/api/deliveries?status=FAILED").json()["results"]
        assert shown["endpoint"] == {"id": first.pk, "name": "first"}
        assert shown["event"]["id"] == failed.event.event_id
        assert parse_refusal(admin.get("/api/deliveries?status=LOST")) == (400, "malformed")

    @pytest.mark.same_everywhere
    def test_are_sent_again(self, admin: ApiProgram) -> None:
        delivery = event_builders.create_delivery(
            event_builders.create_endpoint(),
            status=EventDeliveryStatus.FAILED,
            attempts=11,
            error="It said 500.",
        )

        body = admin.post(f"/api/deliveries/{delivery.pk}/resend").json()

        assert (body["status"], body["attempts"], body["error"]) == ("QUEUED", 0, "")
        EventDelivery.objects.update(status=EventDeliveryStatus.SENDING)
        busy = admin.post(f"/api/deliveries/{delivery.pk}/resend")
        assert parse_refusal(busy) == (409, "delivery_under_way")
        assert parse_refusal(admin.post("/api/deliveries/999/resend")) == (
            404,
            "delivery_not_found",
        )
