"""Tests of the pages of messages, alarms and business numbers, and of manual retries."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backoffice.messaging import delivery_reasons
from shared.core.enums import InboxStatus, MessageDeliveryStatus, OutboxKind, OutboxStatus
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    BusinessNumber,
    DeliveryStatus,
    InboundMessage,
    OutboundMessage,
    UnreadableItem,
)
from shared.whatsapp.services import alarms, business_numbers
from shared.whatsapp.services.outbox.message_status import SUPERSEDED
from tests import builders
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import MAX_QUERIES, build_url, press_button
from tests.integration.concurrency import run_at_once
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


def run_action_on_all(client: Client, model: type[Model], action: str) -> list[str]:
    """Run a list's action on all its rows and return the messages that it leads to."""
    chosen = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]
    return press_button(
        client, build_url(model, "changelist"), action=action, index="0", _selected_action=chosen
    )


def create_failed_message(**fields: Any) -> OutboundMessage:
    buyer = builders.create_contact(last_inbound_at=timezone.now())
    trouble = {"status": OutboxStatus.FAILED, "error_code": 131026, "error": "No WhatsApp."}
    return queue_message(buyer, **{**trouble, **fields})


def create_failed_inbound(**fields: Any) -> InboundMessage:
    serial = InboundMessage.objects.count()
    return InboundMessage.objects.create(
        **{
            "phone_number_id": PHONE_NUMBER_ID,
            "wa_message_id": f"wamid.{serial}",
            "dedupe_key": f"wamid.{serial}",
            "contact": builders.create_contact(),
            "type": "text",
            "text": "hi <b>there</b>",
            "payload": {"type": "text", "text": {"body": "hi <b>there</b>"}},
            "sent_at": NOON,
            "received_at": NOON,
            "status": InboxStatus.FAILED,
            "attempts": 5,
            "error": "KeyError",
            **fields,
        }
    )


class TestWhy:
    @pytest.mark.parametrize(
        ("message", "buyer", "words"),
        [
            ({"status": "WITHHELD"}, {}, "More than 24 hours since the buyer wrote: waits until"),
            ({"status": "WITHHELD"}, {"is_blocked": True}, "until you unblock them"),
            ({"status": "STALE"}, {}, "nobody waits for any more is not sent"),
            ({"status": "STALE", "error": "Slow down."}, {}, "nobody waits for any more"),
            ({"status": "STALE", "error": SUPERSEDED}, {}, "It was no longer true"),
            (
                {"status": "FAILED", "error_code": 131026, "error": "No WhatsApp."},
                {},
                "Meta's code 131026: No WhatsApp.",
            ),
            (
                {"status": "SENT", "delivery": "failed", "error": "Lost."},
                {},
                "could not deliver it",
            ),
            ({"status": "UNKNOWN", "unknown_sends": 2}, {}, "Sent twice without an answer: may"),
            ({"status": "QUEUED"}, {}, "Next in line."),
            ({"status": "QUEUED"}, {"send_after": NOON + 2 * MINUTE}, "pause towards this buyer"),
            (
                {"status": "QUEUED", "next_attempt_at": NOON + 3 * MINUTE, "attempts": 3},
                {},
                "Tried 3 times, tried again in 3 min.",
            ),
            (
                {"status": "QUEUED", "kind": OutboxKind.NOTICE},
                {"last_inbound_at": NOON - timedelta(days=2)},
                "is kept until they write",
            ),
        ],
    )
    def test_is_said_in_words(
        self, message: dict[str, Any], buyer: dict[str, Any], words: str
    ) -> None:
        written = queue_message(builders.create_contact(**buyer), **message)

        assert words in delivery_reasons.explain_message_state(written, now=NOON)

    def test_names_what_goes_before_it_and_a_paused_number(self) -> None:
        first = queue_message(builders.create_contact())
        second = queue_message(first.contact)

        around = delivery_reasons.load_sending_context([first, second])
        assert (
            delivery_reasons.explain_message_state(first, now=NOON, context=around)
            == "Next in line."
        )
        assert "behind an earlier" in delivery_reasons.explain_message_state(
            second, now=NOON, context=around
        )

        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token expired.", now=NOON
        )
        around = delivery_reasons.load_sending_context([first])
        assert delivery_reasons.explain_message_state(first, now=NOON, context=around) == (
            "Waiting for the number, which is paused: The token expired."
        )


class TestOutbox:
    def test_shows_reasons_orders_and_counts(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = sample_data.place_order()
        create_failed_message(about=order.code)
        for _ in range(20):
            queue_message(builders.create_contact())
        queue_message(
            builders.create_contact(),
            status=OutboxStatus.SENT,
            delivery=MessageDeliveryStatus.FAILED,
        )

        with django_assert_max_num_queries(MAX_QUERIES):
            text = owner.get(build_url(OutboundMessage, "changelist")).content.decode()

        assert "Meta&#x27;s code 131026: No WhatsApp." in text
        assert f'?q={order.code}">{order.code}</a>' in text
        assert "Failed or not delivered (2)" in text
        assert "Waiting to be sent (20)" in text

    @pytest.mark.parametrize("word", ["code", "phone", "name", "wamid"])
    def test_finds_a_message_by_what_people_know_of_it(self, owner: Client, word: str) -> None:
        order = sample_data.place_order(
            buyer=builders.create_contact(profile_name="Wilhelmina", wa_id="4915112345")
        )
        assert order.contact is not None
        found = queue_message(order.contact, about=order.code, wa_message_id="wamid.x")
        queue_message(builders.create_contact())
        texts = {
            "code": str(order.code).lower().replace("-", " "),
            "phone": "+49 151 12345",
            "name": "wilhel",
            "wamid": "wamid.x",
        }

        answer = owner.get(build_url(OutboundMessage, "changelist"), {"q": texts[word]})

        assert [row.pk for row in answer.context["cl"].result_list] == [found.pk]

    def test_page_tells_the_whole_way_of_a_message(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = sample_data.place_order()
        message = create_failed_message(about=order.code, wa_message_id="wamid.1", sent_at=NOON)
        DeliveryStatus.objects.create(
            phone_number_id=PHONE_NUMBER_ID,
            wa_message_id="wamid.1",
            status="failed",
            occurred_at=NOON,
            payload={},
            received_at=NOON,
            next_attempt_at=NOON,
        )

        with django_assert_max_num_queries(MAX_QUERIES):
            text = owner.get(build_url(OutboundMessage, "change", message.pk)).content.decode()

        assert "Could not be delivered" in text
        assert reverse("admin:raffles_order_change", args=[order.pk]) in text
        assert f"https://wa.me/{message.contact.wa_id}?text=message%20" in text
        assert "Send again" in text

    def test_sends_again_and_says_who_did(self, owner: Client) -> None:
        message = create_failed_message()

        assert (
            "goes out within seconds"
            in press_button(owner, build_url(OutboundMessage, "again", message.pk))[0]
        )

        message.refresh_from_db()
        assert message.status == OutboxStatus.QUEUED
        assert LogEntry.objects.get().change_message == "Sent the message again"
        assert (
            "Only a message that failed"
            in press_button(owner, build_url(OutboundMessage, "again", message.pk))[0]
        )
        assert LogEntry.objects.count() == 1

    def test_says_what_became_of_each_of_many(self, owner: Client) -> None:
        failed, sent = (
            create_failed_message(),
            queue_message(builders.create_contact(), status=OutboxStatus.SENT),
        )

        texts = run_action_on_all(owner, OutboundMessage, "send_again")

        assert any(
            line.startswith("Queued again (1):") and str(failed.contact) in line for line in texts
        )
        assert any("Left as it is" in line and str(sent.contact) in line for line in texts)


class TestInbox:
    def test_answers_again_what_failed(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        message = create_failed_inbound()
        for _ in range(10):
            create_failed_inbound(status=InboxStatus.PROCESSED)
        with django_assert_max_num_queries(MAX_QUERIES):
            assert (
                b"Could not be answered (1)"
                in owner.get(build_url(InboundMessage, "changelist")).content
            )
        with django_assert_max_num_queries(MAX_QUERIES):
            text = owner.get(build_url(InboundMessage, "change", message.pk)).content.decode()
        assert "The program failed 5 times" in text
        assert "hi &lt;b&gt;there&lt;/b&gt;" in text

        press_button(owner, build_url(InboundMessage, "again", message.pk))

        message.refresh_from_db()
        assert (message.status, message.attempts) == (InboxStatus.RECEIVED, 0)
        assert LogEntry.objects.get().change_message == "Had the message answered again"

    def test_says_what_became_of_each_of_many(self, owner: Client) -> None:
        create_failed_inbound()
        create_failed_inbound(status=InboxStatus.PROCESSED)

        texts = run_action_on_all(owner, InboundMessage, "answer_again")

        assert sorted(line.split(" (")[0] for line in texts) == [
            "Answered again within seconds",
            "Left as it is. Only a message whose answer failed can be answered again",
        ]


class TestAlarms:
    def test_stand_open_ones_first_with_what_to_do(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        old = alarms.sound_alarm("not_sent:131026", title="A message could not be sent", now=NOON)
        alarms.sound_alarm("paused:1", title="Sending is paused", now=NOON + MINUTE)
        alarms.resolve_alarm("paused:1", by="a message went through", now=NOON + 2 * MINUTE)

        with django_assert_max_num_queries(MAX_QUERIES):
            rows = owner.get(build_url(Alarm, "changelist")).context["cl"].result_list
        assert [alarm.title for alarm in rows] == [
            "A message could not be sent",
            "Sending is paused",
        ]
        text = owner.get(build_url(Alarm, "change", old.pk)).content.decode()
        assert "Reach them another way." in text
        assert "?status=FAILED" in text

    @pytest.mark.parametrize(
        "key", ["paused:1", "refused:1", "inbound_failed:7", "notice:a:b", "x"]
    )
    def test_of_every_kind_have_a_page(self, owner: Client, key: str) -> None:
        alarm = alarms.sound_alarm(key, title="Trouble", now=NOON)

        assert b"What to do" in owner.get(build_url(Alarm, "change", alarm.pk)).content

    def test_are_resolved_with_a_name(self, owner: Client) -> None:
        first = alarms.sound_alarm("a", title="Trouble", now=NOON)
        alarms.sound_alarm("b", title="More trouble", now=NOON)

        assert "Resolved." in press_button(owner, build_url(Alarm, "resolve", first.pk))[0]
        assert (
            "resolved already: olga"
            in press_button(owner, build_url(Alarm, "resolve", first.pk))[0]
        )
        texts = run_action_on_all(owner, Alarm, "mark_resolved")

        assert not Alarm.objects.filter(resolved_at=None).exists()
        assert any("Resolved (1): More trouble" in line for line in texts)
        assert set(Alarm.objects.values_list("resolved_by", flat=True)) == {"olga"}
        assert LogEntry.objects.count() == 2


class TestAccount:
    def test_a_paused_number_is_tried_at_once(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token expired.", now=timezone.now()
        )
        number = BusinessNumber.objects.get()
        with django_assert_max_num_queries(MAX_QUERIES):
            text = owner.get(build_url(BusinessNumber, "change", number.pk)).content.decode()
        assert "code 190: The token expired." in text
        assert "Meta has not called for this number" in text

        press_button(owner, build_url(BusinessNumber, "try", number.pk))

        number.refresh_from_db()
        assert number.probe_at is not None
        assert number.probe_at <= timezone.now()
        assert LogEntry.objects.count() == 1
        business_numbers.resume_sending(PHONE_NUMBER_ID, now=timezone.now())
        assert (
            "nothing to try" in press_button(owner, build_url(BusinessNumber, "try", number.pk))[0]
        )

    def test_notices_stand_in_words_what_needs_a_look_first(self, owner: Client) -> None:
        value = {"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "X"}]}
        first = AccountNotice.objects.create(
            dedupe_key="1",
            field="account_update",
            payload={"field": "account_update", "value": value},
            needs_attention=True,
            received_at=NOON,
        )
        AccountNotice.objects.create(dedupe_key="2", payload={}, received_at=NOON)

        rows = owner.get(build_url(AccountNotice, "changelist")).context["cl"].result_list
        assert rows[0] == first
        text = owner.get(build_url(AccountNotice, "change", first.pk)).content.decode()
        assert "Something changed about the account" in text
        assert "Restriction info · Restriction type" in text

    def test_an_unreadable_item_shows_its_beginning(self, owner: Client) -> None:
        item = UnreadableItem.objects.create(
            sha256="x", body=b"\xff<script>", reason="not JSON", received_at=NOON
        )

        text = owner.get(build_url(UnreadableItem, "change", item.pk)).content.decode()

        assert "\ufffd&lt;script&gt;" in text


class TestWithoutPermission:
    def test_every_button_is_refused_and_not_shown(self, client: Client) -> None:
        business_numbers.pause_sending(
            PHONE_NUMBER_ID, code=190, reason="The token expired.", now=NOON
        )
        number = BusinessNumber.objects.get()
        alarm = alarms.sound_alarm("a", title="Trouble", now=NOON)
        sent, received = create_failed_message(), create_failed_inbound()
        seeing = [
            f"view_{model.__name__.lower()}"
            for model in (OutboundMessage, InboundMessage, Alarm, BusinessNumber)
        ]
        client.force_login(sample_data.create_user("auditor", *seeing))

        for row, action, words in [
            (sent, "again", "Send again"),
            (received, "again", "Answer again"),
            (alarm, "resolve", "Mark as resolved"),
            (number, "try", "Try now"),
        ]:
            assert client.post(build_url(type(row), action, row.pk)).status_code == 403
            shown = client.get(build_url(type(row), "change", row.pk)).content.decode()
            assert f"</i> {words}</button>" not in shown

        assert not LogEntry.objects.exists()

    @pytest.mark.parametrize(
        ("model", "action"),
        [
            (OutboundMessage, "send_again"),
            (InboundMessage, "answer_again"),
            (Alarm, "mark_resolved"),
        ],
    )
    def test_actions_on_many_rows_are_refused(
        self, client: Client, model: type[Model], action: str
    ) -> None:
        client.force_login(sample_data.create_user("auditor", f"view_{model.__name__.lower()}"))

        chosen = {"action": action, "index": "0", "_selected_action": ["1"]}

        assert client.post(build_url(model, "changelist"), chosen).status_code == 403

    def test_a_button_wants_a_post(self, owner: Client) -> None:
        assert (
            owner.get(build_url(OutboundMessage, "again", create_failed_message().pk)).status_code
            == 405
        )


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_people_send_again_and_it_is_queued_once(self) -> None:
        message = create_failed_message()
        browsers = [Client(), Client()]
        for name, browser in zip(("olga", "rita"), browsers, strict=True):
            browser.force_login(
                sample_data.create_user(name, "view_outboundmessage", "change_outboundmessage")
            )

        address = build_url(OutboundMessage, "again", message.pk)
        run_at_once([partial(browser.post, address) for browser in browsers])

        assert LogEntry.objects.count() == 1
        message.refresh_from_db()
        assert message.status == OutboxStatus.QUEUED
