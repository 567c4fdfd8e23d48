"""Tests of the admin pages of API tokens, event endpoints, deliveries and events."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from backoffice.accounts import roles
from backoffice.api import tokens
from backoffice.api.models import ApiToken
from backoffice.automation import event_labels
from backoffice.messaging import alarm_advice
from shared.core.enums import EventDeliveryStatus, EventType, Scope
from shared.events.models import Event, EventAttempt, EventDelivery, EventEndpoint
from shared.events.services import endpoints
from shared.publishing import delivery_alarms
from shared.whatsapp.models import Alarm
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import MAX_QUERIES, list_messages, press_button

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


N8N: Final = {
    "name": "n8n: new proofs",
    "url": "https://n8n.example.com/webhook/raffle",
    "types": [EventType.ORDER_PAID],
    "header_name": "X-N8N-Key",
    "header_value": "a-long-word",
}


def build_url(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


def load_page(client: Client, address: str, **asked: str) -> str:
    return client.get(address, asked).content.decode()


def list_rows(client: Client, address: str, **asked: str) -> list[Any]:
    return list(client.get(address, asked).context["cl"].result_list)


def list_change_messages() -> list[str]:
    return [entry.change_message for entry in LogEntry.objects.order_by("pk")]


def log_in_as(role: str) -> Client:
    """Return the browser of a user with a role."""
    roles.grant_role_permissions(apps)
    user = sample_data.create_user(role.lower())
    user.groups.add(Group.objects.get(name=role))
    browser = Client()
    browser.force_login(user)
    return browser


def create_endpoint(**fields: Any) -> EventEndpoint:
    return endpoints.create_endpoint(**{**N8N, **fields}, by="olga", allow_private=False, now=NOON)


def create_event(**fields: Any) -> Event:
    about: dict[str, Any] = {"type": EventType.ORDER_PAID, "subject": "R-7K3F9", "data": {}}
    return Event.objects.create(**{**about, **fields}, created_at=NOON)


def create_delivery(**fields: Any) -> EventDelivery:
    """Queue a delivery; an event and an endpoint are created unless they are given."""
    endpoint = fields.pop("endpoint", None) or EventEndpoint.objects.first() or create_endpoint()
    event = fields.pop("event", None) or create_event()
    queued: dict[str, Any] = {"created_at": NOON, "next_attempt_at": NOON}
    return EventDelivery.objects.create(event=event, endpoint=endpoint, **{**queued, **fields})


def create_failed_delivery(**fields: Any) -> EventDelivery:
    trouble = {"http_status": 404, "latency_ms": 143, "error": "Answered 404.", "attempts": 11}
    return create_delivery(**{"status": EventDeliveryStatus.FAILED, **trouble, **fields})


class TestTokens:
    FORM: Final = {"name": "n8n", "scope": "REVIEW", "until": ""}

    def test_are_shown_once_ready_to_paste_and_kept_nowhere(self, owner: Client) -> None:
        answer = owner.post(build_url("api_apitoken_add"), self.FORM)

        text = answer.context["text"]
        page = answer.content.decode()
        token = tokens.find_token(text, now=NOON)
        assert (token.name, token.scope, token.created_by) == ("n8n", Scope.REVIEW, "olga")
        assert "no-store" in answer["Cache-Control"]
        assert f"curl -H &#x27;Authorization: Bearer {text}&#x27;" in page
        assert f'<code id="bearer">{text}</code>' in page
        # never shown again: no page, message, session, log entry or row has it
        later = [
            load_page(owner, build_url("api_apitoken_changelist")),
            load_page(owner, build_url("api_apitoken_change", token.pk)),
            load_page(owner, build_url("api_apitoken_history", token.pk)),
            *list_messages(answer),
            *(str(session.get_decoded()) for session in Session.objects.all()),
            *list_change_messages(),
            str(list(ApiToken.objects.values())),
        ]
        assert not [where for where in later if text in where]
        assert list_change_messages() == ["Created the token, scope review"]

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({}, "Another token that works has this name"),
            ({"name": ""}, "This field is required"),
            ({"scope": "EVERYTHING"}, "Select a valid choice"),
            ({"until": "2001-01-01"}, "That day is over already"),
        ],
    )
    def test_are_not_made_of_a_form_sent_twice_or_filled_in_wrongly(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)

        answer = owner.post(build_url("api_apitoken_add"), {**self.FORM, **wrong})

        assert words in answer.content.decode()
        assert (ApiToken.objects.count(), list_change_messages()) == (1, [])

    def test_work_through_their_last_day_by_the_installations_clock(
        self, owner: Client, settings: Settings
    ) -> None:
        settings.TIME_ZONE = "America/Bogota"

        owner.post(build_url("api_apitoken_add"), {**self.FORM, "until": "2100-01-31"})

        expires_at = ApiToken.objects.get().expires_at
        assert expires_at == datetime(2100, 2, 1, 5, 0, tzinfo=UTC)

    def test_are_revoked_once_one_is_sure_and_stay_in_the_list(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        issued = tokens.issue_token(name="n8n", scope=Scope.READ, by="olga", now=NOON)
        revoke = build_url("api_apitoken_revoke", issued.token.pk)

        assert b"Yes, revoke the token" in owner.post(revoke).content
        tokens.find_token(issued.text, now=NOON)

        assert "is refused from now on" in press_button(owner, revoke, sure="yes")[0]
        assert "was revoked already" in press_button(owner, revoke, sure="yes")[0]
        with pytest.raises(tokens.TokenRevoked):
            tokens.find_token(issued.text, now=NOON)
        assert list_change_messages() == ["Revoked the token"]
        with django_assert_max_num_queries(MAX_QUERIES):
            assert [row.name for row in list_rows(owner, build_url("api_apitoken_changelist"))] == [
                "n8n"
            ]
        assert list_rows(owner, build_url("api_apitoken_changelist"), works="yes") == []


class TestEndpoints:
    def test_are_made_and_their_secret_is_for_who_may_change_them(self, owner: Client) -> None:
        owner.post(build_url("events_eventendpoint_add"), N8N)

        endpoint = EventEndpoint.objects.get()
        page = build_url("events_eventendpoint_change", endpoint.pk)
        assert (endpoint.types, endpoint.created_by) == ([EventType.ORDER_PAID], "olga")
        assert endpoint.secret in load_page(owner, page)
        assert list_change_messages() == [
            "Created the endpoint for https://n8n.example.com/webhook/raffle"
        ]
        for role in ("Seller", "Auditor"):
            onlooker = log_in_as(role)
            seen = load_page(onlooker, page) + load_page(
                onlooker, build_url("events_eventendpoint_changelist")
            )
            assert endpoint.url in seen
            assert endpoint.secret not in seen
            assert endpoint.header_value not in seen
            assert onlooker.post(page, N8N).status_code == 403
            assert (
                onlooker.post(build_url("events_eventendpoint_delete", endpoint.pk)).status_code
                == 403
            )

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"url": "http://10.0.0.7/hook"}, "url"),
            ({"url": "ftp://n8n.example.com"}, "url"),
            ({"name": "Taken"}, "name"),
            ({"header_name": "Host"}, "header_name"),
            ({"types": ["order.lost"]}, "types"),
        ],
    )
    def test_refuse_at_the_field_it_is_about(
        self, owner: Client, wrong: dict[str, Any], field: str
    ) -> None:
        create_endpoint(name="Taken")
        other = create_endpoint()

        for page in (
            build_url("events_eventendpoint_add"),
            build_url("events_eventendpoint_change", other.pk),
        ):
            answer = owner.post(page, {**N8N, "name": "Another", **wrong})
            assert list(answer.context["adminform"].form.errors) == [field]

        other.refresh_from_db()
        assert (other.name, EventEndpoint.objects.count()) == (N8N["name"], 2)

    def test_are_not_filled_in_by_a_link(self, owner: Client) -> None:
        text = load_page(
            owner, build_url("events_eventendpoint_add"), url="https://elsewhere.example"
        )

        assert "elsewhere" not in text

    def test_have_buttons_for_posts_to_rows_that_exist(self, owner: Client) -> None:
        endpoint = create_endpoint()
        button = "events_eventendpoint_off"

        assert owner.get(build_url(button, endpoint.pk)).status_code == 405
        assert owner.post(build_url(button, endpoint.pk + 1)).status_code == 404
        endpoint.refresh_from_db()
        assert endpoint.active

    def test_are_changed_turned_off_and_on_and_given_a_new_secret(self, owner: Client) -> None:
        endpoint = create_endpoint()

        def press(button: str, **data: str) -> None:
            owner.post(build_url(f"events_eventendpoint_{button}", endpoint.pk), data)
            endpoint.refresh_from_db()

        owner.post(build_url("events_eventendpoint_change", endpoint.pk), {**N8N, "types": []})
        press("off")
        assert (endpoint.types, endpoint.active) == ([], False)
        assert endpoint.disabled_reason == "Turned off by olga."
        press("on")
        assert (endpoint.active, endpoint.disabled_reason) == (True, "")
        before = endpoint.secret
        press("new_secret")
        assert endpoint.secret == before
        press("new_secret", sure="yes")
        assert endpoint.secret != before
        assert list_change_messages() == [
            "Changed which events from order.paid to nothing",
            "Turned the endpoint off",
            "Turned the endpoint on",
            "Replaced the secret",
        ]

    def test_tell_how_they_fare_however_many_they_are(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for place in range(10):
            create_endpoint(name=f"Quiet {place}")
        busy, gone = create_endpoint(name="Busy"), create_endpoint(name="Gone")
        create_failed_delivery(endpoint=busy, status=EventDeliveryStatus.QUEUED, attempts=2)
        create_delivery(endpoint=busy)
        create_failed_delivery(endpoint=gone)
        endpoints.disable_endpoint(gone.pk, reason="The receiver answered 410 Gone.", now=NOON)

        with django_assert_max_num_queries(MAX_QUERIES):
            text = load_page(owner, build_url("events_eventendpoint_changelist"))
        with django_assert_max_num_queries(MAX_QUERIES):
            page = load_page(owner, build_url("events_eventendpoint_change", gone.pk))

        assert "2 waiting" in text
        assert "Tried again soon: Answered 404." in text
        assert "0 waiting, 1 given up" in text
        assert "Off (1)" in text
        assert "The receiver answered 410 Gone. Off since" in page
        alarm = Alarm(key=delivery_alarms.build_alarm_key(gone.pk))
        where = alarm_advice.build_alarm_advice(alarm).where
        assert where is not None
        assert [row.endpoint for row in list_rows(owner, where[1])] == [gone]

    def test_are_deleted_with_their_log_once_one_is_sure(self, owner: Client) -> None:
        delivery = create_delivery()
        page = build_url("events_eventendpoint_delete", delivery.endpoint_id)

        assert "1 delivery with" in load_page(owner, page)
        assert EventDelivery.objects.count() == 1
        assert "are deleted. The events stay." in press_button(owner, page)[0]

        assert (EventEndpoint.objects.count(), EventDelivery.objects.count()) == (0, 0)
        assert Event.objects.count() == 1
        assert list_change_messages() == [
            "Deleted the endpoint for https://n8n.example.com/webhook/raffle"
        ]


class TestDeliveries:
    LIST: Final = "events_eventdelivery_changelist"

    def test_are_found_by_what_people_know_of_them(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        other = create_endpoint(name="Other")
        found = create_failed_delivery(
            endpoint=create_endpoint(), event=create_event(type="order.created", subject="R-4M8TQ")
        )
        for _ in range(20):
            create_delivery(endpoint=other)

        for asked in (
            {"q": "r4m8tq"},
            {"q": found.event.event_id},
            {"status": "FAILED"},
            {"endpoint": str(found.endpoint_id)},
            {"type": "order.created"},
            {"type": "order.created", "status": "FAILED", "q": "R-4M8TQ"},
        ):
            assert list_rows(owner, build_url(self.LIST), **asked) == [found], asked
        assert list_rows(owner, build_url(self.LIST), q="R-4M8TQ", type="order.paid") == []
        with django_assert_max_num_queries(MAX_QUERIES):
            text = load_page(owner, build_url(self.LIST))
        assert "Given up (1)" in text
        assert "Waiting (20)" in text
        assert "404 in 143 ms" in text

    def test_tell_what_was_sent_and_answered_and_are_sent_again(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        delivery = create_failed_delivery(
            event=create_event(data={"alert": {"title": "Sending is <paused>"}}),
            response='{"hint": 1}',
        )
        for minutes in (0, 1):
            EventAttempt.objects.create(
                delivery=delivery, at=NOON + minutes * MINUTE, http_status=None, error="No answer."
            )
        page = build_url("events_eventdelivery_change", delivery.pk)

        with django_assert_max_num_queries(MAX_QUERIES):
            text = load_page(owner, page)
        for words in (delivery.event.event_id, "Sending is &lt;paused&gt;", "hint", "No answer."):
            assert words in text
        assert "Send again" not in load_page(log_in_as("Auditor"), page)

        again = build_url("events_eventdelivery_again", delivery.pk)
        assert press_button(log_in_as("Seller"), again) == [
            "Queued again; it leaves within seconds."
        ]
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts) == (EventDeliveryStatus.QUEUED, 0)
        assert delivery.tries.count() == 2
        assert list_change_messages() == ["Sent the event again"]

        EventDelivery.objects.update(status=EventDeliveryStatus.SENDING)
        assert "It is being sent right now" in press_button(owner, again)[0]
        assert len(list_change_messages()) == 1

    def test_are_sent_again_many_at_once_by_who_may(self, owner: Client) -> None:
        failed = [create_failed_delivery(event=create_event(subject=f"R-{key}")) for key in "AB"]
        under_way = create_delivery(event=create_event(), status=EventDeliveryStatus.SENDING)
        chosen = {
            "action": "resend",
            "index": "0",
            "_selected_action": [str(each.pk) for each in (*failed, under_way)],
        }

        assert log_in_as("Auditor").post(build_url(self.LIST), chosen).status_code == 403
        assert sorted(
            line.split(":")[0] for line in press_button(owner, build_url(self.LIST), **chosen)
        ) == [
            "Left as it is. It is being sent right now; wait for what becomes of it (1)",
            "Queued again (2)",
        ]

    @pytest.mark.parametrize(
        ("fields", "active", "words"),
        [
            ({"status": "DELIVERED", "attempts": 1}, True, ""),
            ({"status": "QUEUED"}, True, "Leaves within seconds."),
            ({"status": "QUEUED"}, False, "Waits until its endpoint is turned on."),
            (
                {
                    "status": "QUEUED",
                    "error": "Answered 404.",
                    "next_attempt_at": NOON + timedelta(minutes=5),
                },
                True,
                "Answered 404. Tried again in 5 min.",
            ),
            ({"status": "FAILED", "http_status": 500}, True, "Answered 500."),
        ],
    )
    def test_say_why_they_are_where_they_are(
        self, fields: dict[str, Any], active: bool, words: str
    ) -> None:
        endpoint = EventEndpoint(active=active)
        delivery = EventDelivery(endpoint=endpoint, **fields)

        assert event_labels.explain_delivery_state(delivery, now=NOON) == words


class TestEvents:
    def test_are_read_with_what_became_of_them(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = sample_data.place_order()
        event = Event.objects.get(order_id=order.pk)
        create_failed_delivery(event=event)
        for _ in range(20):
            create_event(type=EventType.CHANNEL_ALERT, subject="token")
        listed = build_url("events_event_changelist")

        for asked in ({"q": str(order.code).lower()}, {"type": "order.created"}):
            assert list_rows(owner, listed, **asked) == [event]
        with django_assert_max_num_queries(MAX_QUERIES):
            assert reverse("admin:raffles_order_change", args=[order.pk]) in load_page(
                owner, listed
            )
        with django_assert_max_num_queries(MAX_QUERIES):
            text = load_page(owner, build_url("events_event_change", event.pk))
        assert "Given up" in text
        assert "&quot;status&quot;: &quot;PENDING_PAYMENT&quot;" in text

    def test_and_tokens_stand_in_the_menu_of_who_may_see_them(self, owner: Client) -> None:
        shown = {"O": owner, "S": log_in_as("Seller"), "R": log_in_as("Reviewer")}

        menus = {
            key: load_page(browser, build_url("desk_security")) for key, browser in shown.items()
        }

        assert {key for key, menu in menus.items() if "Event endpoints" in menu} == {"O", "S"}
        assert {key for key, menu in menus.items() if "API tokens" in menu} == {"O"}
