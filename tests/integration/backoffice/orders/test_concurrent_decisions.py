"""Tests of decisions made at the same moment, and of decisions while the database is busy."""

import json
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from shared.core.enums import ActorKind, EventType, OrderAction, OrderStatus
from shared.events.models import Event
from shared.whatsapp.models import OutboundMessage
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import list_messages
from tests.integration.concurrency import make_database_busy, run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


class TestTwoAtOnce:
    @pytest.mark.acceptance
    def test_confirm_with_one_effect_though_twenty_do_in_the_api_and_the_back_office(self) -> None:
        order = sample_data.place_order()
        keys = [sample_data.create_api_token(f"program {index}") for index in range(14)]
        browsers = [Client() for _ in range(6)]
        for index, browser in enumerate(browsers):
            browser.force_login(User.objects.create_superuser(f"person {index}"))

        def confirm(key: str) -> Any:
            client = Client(headers={"X-API-Key": key, "Idempotency-Key": f"confirm-{order.pk}"})
            return client.post(f"/api/orders/{order.pk}/confirm-payment")

        def press(browser: Client) -> Any:
            return browser.post(reverse("admin:raffles_order_confirm", args=[order.pk]))

        calls = [partial(confirm, key) for key in keys] + [
            partial(press, each) for each in browsers
        ]
        answers = run_at_once(calls)

        programs, people = answers[:14], answers[14:]
        assert {answer.status_code for answer in programs} == {200}
        assert {answer.status_code for answer in people} == {302}
        firsts = [answer for answer in programs if not answer.json()["already_confirmed"]]
        paid = order.events.get(action=OrderAction.PAID)
        assert len(firsts) == (paid.actor_kind == ActorKind.TOKEN)
        assert {answer.json()["confirmed_by"]["label"] for answer in programs} == {paid.actor_label}
        assert OutboundMessage.objects.filter(key="paid").count() == 1
        assert Event.objects.filter(type=EventType.ORDER_PAID).count() == 1

    def test_confirm_in_the_admin_and_cancel_through_the_api_with_one_winner(self) -> None:
        order, key = sample_data.place_order(), sample_data.create_api_token()
        browser = Client()
        browser.force_login(User.objects.create_superuser("rita"))

        def confirm() -> Any:
            return browser.post(reverse("admin:raffles_order_confirm", args=[order.pk]))

        def cancel() -> Any:
            return Client(headers={"X-API-Key": key}).post(f"/api/orders/{order.pk}/cancel")

        confirmed, cancelled = run_at_once([confirm, cancel])

        assert confirmed.status_code == 302
        order.refresh_from_db()
        # A later confirmation sells a cancelled order whose numbers are free, so in either order:
        assert order.status == OrderStatus.PAID
        assert cancelled.status_code in {200, 409}
        assert OutboundMessage.objects.filter(key="paid").count() == 1


class TestBusyDatabase:
    def test_answers_503_that_may_be_tried_again(self) -> None:
        order, key = sample_data.place_order(), sample_data.create_api_token()
        client = Client(headers={"X-API-Key": key})
        address = f"/api/orders/{order.pk}/confirm-payment"

        with make_database_busy(order):
            answer = client.post(address, json.dumps({}), content_type="application/json")

        assert answer.status_code == 503
        assert answer["Retry-After"] == "1"
        assert answer.json()["code"] == "database_busy"
        assert answer.json()["retryable"] is True
        assert client.post(address).status_code == 200

    def test_is_told_in_the_admin_and_nothing_is_changed(self) -> None:
        order = sample_data.place_order()
        browser = Client()
        browser.force_login(User.objects.create_superuser("rita"))

        with make_database_busy(order):
            answer = browser.post(reverse("admin:raffles_order_confirm", args=[order.pk]))

        messages = list_messages(answer)
        assert "The database is busy" in messages[0]
        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT
