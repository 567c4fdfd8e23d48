"""Tests of the contact pages: names, purchases, the customer service window and blocking."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from shared.core.enums import OutboxKind, OutboxStatus
from shared.whatsapp import messages
from shared.whatsapp.models import WhatsAppContact
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import MAX_QUERIES, build_url, press_button
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]


class TestList:
    def test_shows_states_windows_and_orders_in_few_queries(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        raffle = builders.create_raffle()
        for number in range(1, 12):
            gone = builders.create_contact(last_inbound_at=timezone.now() - timedelta(days=2))
            sample_data.place_order(raffle, numbers=[number], buyer=gone)
        builders.create_contact(
            is_blocked=True, last_inbound_at=timezone.now(), wa_id=None, user_id="US.1"
        )

        with django_assert_max_num_queries(MAX_QUERIES):
            answer = owner.get(build_url(WhatsAppContact, "changelist"))

        text = answer.content.decode()
        assert text.count("Closed</span>") == 11
        assert ("Blocked</span>" in text, "hidden" in text) == (True, True)
        counts = [contact.order_count for contact in answer.context["cl"].result_list]
        assert counts == [None, *[1] * 11]

    def test_filters_by_window_and_blocking(self, owner: Client) -> None:
        now = timezone.now()
        opened = builders.create_contact(last_inbound_at=now, stopped_at=now, wants_person_at=now)
        closed = builders.create_contact(
            last_inbound_at=now - timedelta(days=2), is_blocked=True, wants_person_at=now
        )

        for query, wanted in [
            ("window=open", opened),
            ("window=closed", closed),
            ("blocked=yes", closed),
            ("blocked=no", opened),
            ("handover=waits", opened),
            ("handover=stopped", opened),
            (f"q=%2B{opened.wa_id}", opened),
        ]:
            answer = owner.get(build_url(WhatsAppContact, "changelist") + "?" + query)
            assert list(answer.context["cl"].result_list) == [wanted], query

    def test_lists_those_who_wait_for_a_person_in_the_order_of_their_asking(
        self, owner: Client
    ) -> None:
        now = timezone.now()
        second, first = (
            builders.create_contact(wants_person_at=now - timedelta(minutes=minutes))
            for minutes in (5, 90)
        )

        answer = owner.get(build_url(WhatsAppContact, "changelist") + "?handover=waits")

        assert list(answer.context["cl"].result_list) == [first, second]
        assert "Waits 1 h for a person" in answer.content.decode()


class TestPage:
    def test_shows_orders_and_conversation(
        self, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = sample_data.place_order()
        assert order.contact is not None
        queue_message(order.contact)

        with django_assert_max_num_queries(MAX_QUERIES):
            text = owner.get(
                build_url(WhatsAppContact, "change", order.contact.pk)
            ).content.decode()

        assert str(order.code) in text
        assert "They have an order that is not settled" in text
        assert "Next in line" not in text
        assert 'class="bubble ours' in text

    def test_says_that_a_buyer_cannot_be_told_and_offers_a_word_by_hand(
        self, owner: Client
    ) -> None:
        buyer = builders.create_contact()
        news = messages.build_text("Paid & done: 007 is yours?")
        queue_message(buyer, kind=OutboxKind.NOTICE, status=OutboxStatus.WITHHELD, payload=news)

        text = owner.get(build_url(WhatsAppContact, "change", buyer.pk)).content.decode()

        assert "This buyer cannot be told" in text
        assert "More than 24 hours since the buyer wrote" in text
        link = f"https://wa.me/{buyer.wa_id}?text=Paid%20%26%20done%3A%20007%20is%20yours%3F"
        assert link in text

    def test_has_no_link_while_the_phone_is_hidden(self, owner: Client) -> None:
        buyer = builders.create_contact(wa_id=None, user_id="US.1")
        queue_message(buyer, kind=OutboxKind.NOTICE, status=OutboxStatus.FAILED)

        text = owner.get(build_url(WhatsAppContact, "change", buyer.pk)).content.decode()

        assert "They hide their phone number" in text
        assert "wa.me" not in text


class TestBlocking:
    def test_is_undone_and_both_leave_a_trace(self, owner: Client) -> None:
        buyer = builders.create_contact()

        assert (
            "does not answer them"
            in press_button(owner, build_url(WhatsAppContact, "block", buyer.pk))[0]
        )
        assert "already" in press_button(owner, build_url(WhatsAppContact, "block", buyer.pk))[0]
        assert WhatsAppContact.objects.filter(is_blocked=True).exists()
        assert (
            "is answered again"
            in press_button(owner, build_url(WhatsAppContact, "unblock", buyer.pk))[0]
        )
        assert not WhatsAppContact.objects.filter(is_blocked=True).exists()

        messages = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
        assert list(messages) == ["Blocked the contact", "Unblocked the contact"]
        history = owner.get(reverse("admin:whatsapp_whatsappcontact_history", args=[buyer.pk]))
        assert b"olga" in history.content

    def test_is_refused_without_its_permission(self, client: Client) -> None:
        buyer = builders.create_contact()
        client.force_login(sample_data.create_user("rita", "view_whatsappcontact"))

        assert client.post(build_url(WhatsAppContact, "block", buyer.pk)).status_code == 403
        assert client.post(build_url(WhatsAppContact, "unblock", buyer.pk)).status_code == 403
        shown = client.get(build_url(WhatsAppContact, "change", buyer.pk)).content.decode()
        assert "Block this contact" not in shown
