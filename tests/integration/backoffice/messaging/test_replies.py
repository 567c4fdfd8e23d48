"""Tests of the chat on a contact's page: writing to the buyer, and the state of the bot."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from shared.core.enums import OutboxKind, OutboxStatus
from shared.use_cases.contacts import handover
from shared.whatsapp import messages
from shared.whatsapp.models import OutboundMessage, WhatsAppContact
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import build_url, list_messages, press_button
from tests.integration.whatsapp.outbox_builders import queue_message

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

ANSWERS = ("view_whatsappcontact", "add_outboundmessage")


@pytest.fixture
def rita(client: Client) -> Client:
    """Return the browser of somebody who may answer."""
    client.force_login(sample_data.create_user("rita", *ANSWERS))
    return client


def create_buyer(**fields: Any) -> WhatsAppContact:
    """Create a buyer who has just written."""
    return builders.create_contact(**{"last_inbound_at": timezone.now()} | fields)


def load_page(browser: Client, buyer: WhatsAppContact) -> str:
    text: str = browser.get(build_url(WhatsAppContact, "change", buyer.pk)).content.decode()
    return text


def post(browser: Client, buyer: WhatsAppContact, step: str, **form: str) -> Any:
    return browser.post(build_url(WhatsAppContact, step, buyer.pk), form)


def load_form(page: str) -> dict[str, str]:
    """Return the hidden fields of the box to write in."""
    return dict(re.findall(r'type="hidden" name="(request_key)" value="([^"]+)"', page))


class TestReply:
    def test_is_queued_pauses_the_bot_and_is_logged_without_its_text(self, rita: Client) -> None:
        buyer = create_buyer(wants_person_at=timezone.now() - timedelta(minutes=12))

        answer = post(rita, buyer, "reply", text="Yes, until <Friday>.\r\nRita")

        assert answer["Location"] == build_url(WhatsAppContact, "change", buyer.pk) + "#chat"
        assert list_messages(answer) == [f"Your message to {buyer} is on its way."]
        message = OutboundMessage.objects.get(contact=buyer)
        assert (message.written_by, message.key) == ("rita", "staff")
        assert messages.render_preview(message.payload) == "Yes, until <Friday>.\nRita"
        buyer.refresh_from_db()
        assert buyer.wants_person_at is None
        text = load_page(rita, buyer)
        assert "Yes, until &lt;Friday&gt;." in text
        assert "rita wrote:" in text
        assert "because rita wrote to them at" in text
        assert LogEntry.objects.get().change_message == "Wrote to the buyer"

    def test_is_sent_once_though_its_form_is_sent_twice(self, rita: Client) -> None:
        buyer = create_buyer()
        form = load_form(load_page(rita, buyer))

        for _ in range(2):
            answer = post(rita, buyer, "reply", text="Yes.", **form)

        assert answer["Location"].endswith(f"?sent={form['request_key']}#chat")
        assert OutboundMessage.objects.count() == LogEntry.objects.count() == 1

    @pytest.mark.parametrize(
        ("text", "told"),
        [("\u2060 ", "A message needs a text"), ("x" * 4097, "4,096 characters at most")],
    )
    def test_stays_in_the_box_if_it_is_refused(self, rita: Client, text: str, told: str) -> None:
        buyer = create_buyer()

        answer = post(rita, buyer, "reply", text=text)

        page = answer.content.decode()
        assert answer.status_code == 409
        assert told in page
        assert f">{text}</textarea>" in page
        assert not OutboundMessage.objects.exists()
        assert not LogEntry.objects.exists()

    def test_is_closed_with_the_reason_and_a_link_to_write_by_hand(self, rita: Client) -> None:
        buyer = create_buyer(last_inbound_at=timezone.now() - timedelta(days=2))

        shown = load_page(rita, buyer)
        refused = post(rita, buyer, "reply", text="Still there?").content.decode()

        assert "They wrote more than 24 hours ago" in shown
        assert "<textarea" not in shown
        assert "Your text was not sent:" in refused
        assert f"https://wa.me/{buyer.wa_id}?text=Still%20there%3F" in refused

    def test_is_closed_while_the_buyer_is_blocked(self, rita: Client) -> None:
        assert "unblock them before you write" in load_page(rita, create_buyer(is_blocked=True))

    def test_says_until_when_it_is_possible(self, rita: Client) -> None:
        assert "You may write until" in load_page(rita, create_buyer())

    def test_is_not_for_those_who_only_look(self, client: Client) -> None:
        buyer = create_buyer()
        client.force_login(sample_data.create_user("nora", "view_whatsappcontact"))

        page = load_page(client, buyer)

        assert "You may read but not answer." in page
        assert "Quiet the bot" not in page
        for step in ("reply", "pause_bot", "resume_bot"):
            assert post(client, buyer, step, text="Hi").status_code == 403
            assert client.get(build_url(WhatsAppContact, step, buyer.pk)).status_code == 405
        assert not OutboundMessage.objects.exists()


class TestBot:
    def test_is_quieted_and_answers_again(self, rita: Client) -> None:
        buyer = create_buyer()

        [quieted] = press_button(rita, build_url(WhatsAppContact, "pause_bot", buyer.pk))
        page = load_page(rita, buyer)
        [resumed] = press_button(rita, build_url(WhatsAppContact, "resume_bot", buyer.pk))

        assert "The bot is quiet for" in quieted
        assert "because rita quieted it at" in page
        assert "Let the bot answer again" in page
        assert "again, from their next message on" in resumed
        buyer.refresh_from_db()
        assert buyer.bot_paused_until is None
        assert "The bot answers." in load_page(rita, buyer)
        said = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
        assert list(said) == ["Quieted the bot", "Let the bot answer again"]

    def test_after_the_pause_one_button_takes_the_buyer_off_the_list(self, rita: Client) -> None:
        buyer = create_buyer(wants_person_at=timezone.now() - timedelta(hours=14))
        page = load_page(rita, buyer)

        [told] = press_button(rita, build_url(WhatsAppContact, "resume_bot", buyer.pk))

        assert "Done: take off the list" in page
        assert "Let the bot answer again" not in page
        assert "Quiet the bot" not in page
        assert "not listed as waiting" in told
        buyer.refresh_from_db()
        assert buyer.wants_person_at is None

    def test_leaves_a_buyer_who_wrote_stop_alone(self, rita: Client) -> None:
        buyer = create_buyer(stopped_at=timezone.now())
        queue_message(buyer, kind=OutboxKind.NOTICE, status=OutboxStatus.WITHHELD)

        page = load_page(rita, buyer)

        assert "They wrote STOP on" in page
        assert "The buyer wrote STOP: waits until they write again." in page
        assert "You may write until" in page  # an answer of a person is still an answer


class TestPolling:
    def test_finds_each_change_of_the_chat(self, rita: Client) -> None:
        buyer = create_buyer()
        address = build_url(WhatsAppContact, "chat_state", buyer.pk)
        seen = [rita.get(address).json()["version"]]
        assert f'data-version="{seen[0]}"' in load_page(rita, buyer)

        message = queue_message(buyer)
        seen.append(rita.get(address).json()["version"])
        OutboundMessage.objects.filter(pk=message.pk).update(status="SENT", delivery="read")
        seen.append(rita.get(address).json()["version"])
        handover.pause(buyer.pk, by=builders.build_staff_actor(), now=timezone.now())
        answer = rita.get(address)
        seen.append(answer.json()["version"])

        assert len(set(seen)) == 4
        assert rita.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304

    def test_needs_the_permission_to_see_contacts(self, client: Client) -> None:
        buyer = create_buyer()
        client.force_login(sample_data.create_user("nora", "view_order"))

        assert client.get(build_url(WhatsAppContact, "chat_state", buyer.pk)).status_code == 403
