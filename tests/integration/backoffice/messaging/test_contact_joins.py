"""Tests of the pages on which contacts are joined, kept apart and parted again."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from shared.whatsapp.models import (
    Alarm,
    BusinessNumber,
    ContactJoin,
    InboundMessage,
    JoinSuggestion,
    WhatsAppContact,
)
from tests import builders
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.pages import build_url, press_button
from tests.integration.whatsapp.webhook_builders import (
    build_message,
    build_webhook,
    store_webhooks,
)

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

OLD_PHONE, NEW_PHONE = "15550100001", "15550100002"


@pytest.fixture
def moved() -> tuple[WhatsAppContact, WhatsAppContact]:
    """Two contacts, of which WhatsApp says that one got the phone number of the other."""
    old = builders.create_contact(wa_id=OLD_PHONE, profile_name="Ana")
    new = builders.create_contact(wa_id=NEW_PHONE, profile_name="Ana Blocked", is_blocked=True)
    sample_data.place_order(buyer=old)
    system = {"type": "user_changed_number", "wa_id": NEW_PHONE}
    store_webhooks(build_webhook(build_message(phone=OLD_PHONE, type="system", system=system)))
    return old, new


def read_page(client: Client, page: str, contact: WhatsAppContact, query: str = "") -> str:
    return client.get(build_url(WhatsAppContact, page, contact.pk) + query).content.decode()


def list_log() -> list[str]:
    return [entry.change_message for entry in LogEntry.objects.order_by("pk")]


def test_a_suggestion_stands_on_both_pages_and_leads_to_the_comparison(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved

    for one, other in (moved, moved[::-1]):
        text = read_page(owner, "change", one)
        assert f"/{one.pk}/join/?other={other.pk}" in text
        assert "Nothing was joined by itself" not in text

    text = read_page(owner, "join", old, f"?other={new.pk}")
    assert "Blocked</span>" in text
    assert str(old.orders.get().code) in text
    assert "Yes, join them" in text


def test_joining_is_recorded_on_both_and_shown_on_both(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved

    (said,) = press_button(
        owner, build_url(WhatsAppContact, "join", new.pk), other=str(old.pk), sure="yes"
    )

    assert said.startswith("Ana, +15550100001 and Ana Blocked, +15550100002 are one contact now.")
    assert list_log() == ["Joined Ana, +15550100001 into Ana Blocked, +15550100002"] * 2
    assert new.orders.count() == 1
    assert "Undo the join" in read_page(owner, "change", new)
    text = read_page(owner, "change", old)
    assert "This contact was joined into" in text
    assert "Find the other contact" not in text
    listed = owner.get(build_url(WhatsAppContact, "changelist")).context["cl"].result_list
    assert [contact.pk for contact in listed] == [new.pk]


def test_nothing_is_joined_without_the_confirmation(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved

    answer = owner.post(build_url(WhatsAppContact, "join", new.pk), {"other": str(old.pk)})

    assert "Yes, join them" in answer.content.decode()
    assert not ContactJoin.objects.exists()


@pytest.mark.parametrize("other", ["", "x", "9" * 5000, "-1", "424242"])
def test_an_other_contact_that_is_none_joins_nothing(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact], other: str
) -> None:
    address = build_url(WhatsAppContact, "join", moved[0].pk)

    assert owner.post(address, {"other": other, "sure": "yes"}).status_code == 200
    assert owner.get(address, {"other": other}).status_code == 200
    for page, name in (("undo_join", "join"), ("keep_apart", "other")):
        address = build_url(WhatsAppContact, page, moved[0].pk)
        assert owner.post(address, {name: other}).status_code == 404
    assert not ContactJoin.objects.exists()


def test_another_contact_is_found_by_name_on_the_same_business_number_only(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    builders.create_contact(profile_name="Ana elsewhere", phone_number_id="2")

    text = read_page(owner, "join", moved[0], "?q=ana")

    assert "Ana Blocked" in text
    assert "Ana elsewhere" not in text
    assert "No other contact" in read_page(owner, "join", moved[0], "?q=zoe")


def test_an_undone_join_is_recorded_and_cannot_be_undone_twice(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved
    press_button(owner, build_url(WhatsAppContact, "join", new.pk), other=str(old.pk), sure="yes")
    address = build_url(WhatsAppContact, "undo_join", new.pk)
    join = str(ContactJoin.objects.get().pk)

    assert press_button(owner, address, join=join) == [
        "The join is undone: each contact has again what was theirs."
    ]
    assert press_button(owner, address, join=join) == [
        "The join was undone before. Nothing was changed."
    ]
    assert old.orders.count() == 1
    assert list_log()[2:] == ["Undid the join of Ana and Ana Blocked"] * 2


def test_a_join_cannot_be_undone_once_they_wrote(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved
    press_button(owner, build_url(WhatsAppContact, "join", new.pk), other=str(old.pk), sure="yes")
    store_webhooks(build_webhook(build_message(phone=NEW_PHONE)))

    text = read_page(owner, "change", new)

    assert "It cannot be undone any more" in text
    assert "Undo the join" not in text


def test_two_people_are_kept_apart_and_the_alarm_is_resolved(
    owner: Client, moved: tuple[WhatsAppContact, WhatsAppContact]
) -> None:
    old, new = moved
    address = build_url(WhatsAppContact, "keep_apart", new.pk)

    assert press_button(owner, address, other=str(old.pk)) == [
        "Noted: they are two people, and stay two contacts."
    ]
    assert press_button(owner, address, other=str(old.pk)) == [
        "That was settled already; nothing was changed."
    ]

    assert JoinSuggestion.objects.get().settled_by == "olga"
    assert not Alarm.objects.filter(resolved_at=None).exists()
    assert "Compare and join" not in read_page(owner, "change", old)
    assert list_log() == ["Said that Ana Blocked and Ana are two people"] * 2


def test_a_message_to_a_number_that_is_not_ours_says_why_nobody_is_answered(
    owner: Client,
) -> None:
    store_webhooks(build_webhook(build_message(text={"body": "for others"}), number="999"))

    listed = owner.get(build_url(InboundMessage, "changelist")).content.decode()
    assert "for others" in listed
    page = owner.get(build_url(InboundMessage, "change", InboundMessage.objects.get().pk))
    assert "not in META_PHONE_NUMBER_ID" in page.content.decode()
    number = owner.get(build_url(BusinessNumber, "changelist")).content.decode()
    assert "Not answered" in number
