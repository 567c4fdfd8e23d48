"""Tests of contact matching by user id, old user id or phone; contacts are never merged."""

from datetime import timedelta
from typing import Any

import pytest

from shared.whatsapp.models import (
    Alarm,
    ContactAlias,
    InboundMessage,
    JoinSuggestion,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox import join_suggestions
from shared.whatsapp.services.inbox.contact_matching import ConflictReason
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.integration.whatsapp.webhook_builders import (
    build_change_webhook,
    build_contact,
    build_message,
    build_webhook,
    store_webhooks,
)

pytestmark = pytest.mark.django_db

PHONE, OTHER_PHONE = "15550100001", "15550100002"
USER, OTHER_USER = "US.1", "US.2"


def receive_message(
    *, phone: str | None = None, user_id: str | None = None, **fields: Any
) -> int | None:
    """Store a message and return the id of the contact it was matched with."""
    item = build_message(phone=phone, user_id=user_id, **fields)
    store_webhooks(build_webhook(item))
    return InboundMessage.objects.get(wa_message_id=item["id"]).contact_id


def list_contact_keys() -> list[tuple[str | None, str | None, bool]]:
    return [
        (one.user_id, one.wa_id, one.identity_conflict)
        for one in WhatsAppContact.objects.order_by("pk")
    ]


class TestFinding:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"phone": PHONE}, {"phone": PHONE}),
            ({"user_id": USER}, {"user_id": USER}),
            ({"phone": PHONE}, {"phone": PHONE, "user_id": USER}),
            ({"user_id": USER}, {"phone": PHONE, "user_id": USER}),
            ({"phone": PHONE, "user_id": USER}, {"phone": PHONE}),
            ({"phone": PHONE, "user_id": USER}, {"user_id": USER}),
        ],
    )
    def test_knows_a_buyer_by_either_key(
        self, first: dict[str, str], second: dict[str, str]
    ) -> None:
        assert receive_message(**first) == receive_message(**second)
        assert WhatsAppContact.objects.count() == 1

    def test_adds_the_missing_key(self) -> None:
        receive_message(phone=PHONE)
        receive_message(phone=PHONE, user_id=USER)

        assert list_contact_keys() == [(USER, PHONE, False)]

    def test_makes_one_contact_of_one_person_in_a_batch_whatever_comes_first(self) -> None:
        store_webhooks(
            build_webhook(
                build_message(phone=PHONE),
                build_message(phone=None, user_id=USER),
                build_message(phone=PHONE, user_id=USER),
            )
        )

        assert list_contact_keys() == [(USER, PHONE, False)]

    def test_keeps_buyers_of_two_business_numbers_apart(self) -> None:
        store_webhooks(
            build_webhook(build_message(phone=PHONE)),
            build_webhook(build_message(phone=PHONE), number="2"),
        )

        assert {one.phone_number_id for one in WhatsAppContact.objects.all()} == {
            PHONE_NUMBER_ID,
            "2",
        }

    def test_follows_a_new_name(self) -> None:
        store_webhooks(
            build_webhook(build_message(), contacts=[build_contact("Ana", username="@ana")])
        )
        store_webhooks(
            build_webhook(build_message(), contacts=[build_contact("Ana B", username="anab")])
        )

        buyer = WhatsAppContact.objects.get()
        assert (buyer.profile_name, buyer.username) == ("Ana B", "anab")


class TestConflicts:
    def test_flags_both_and_merges_nothing_when_the_keys_lead_to_two_contacts(self) -> None:
        by_phone = receive_message(phone=PHONE)
        by_user = receive_message(user_id=USER)

        assert receive_message(phone=PHONE, user_id=USER) == by_user
        assert list_contact_keys() == [(None, PHONE, True), (USER, None, True)]
        assert receive_message(phone=PHONE) == by_phone

    def test_does_not_give_a_stranger_with_a_recycled_phone_another_persons_orders(self) -> None:
        former = receive_message(phone=PHONE, user_id=USER)

        assert receive_message(phone=PHONE, user_id=OTHER_USER) != former
        assert list_contact_keys() == [(USER, PHONE, True), (OTHER_USER, None, True)]

    def test_follows_a_phone_that_is_used_later_but_not_a_late_webhook(self) -> None:
        buyer = receive_message(phone=PHONE, user_id=USER)
        WhatsAppContact.objects.update(last_inbound_at=NOON)

        assert receive_message(phone=OTHER_PHONE, user_id=USER, at=NOON - MINUTE) == buyer
        assert list_contact_keys() == [(USER, PHONE, False)]
        assert receive_message(phone=OTHER_PHONE, user_id=USER, at=NOON + MINUTE) == buyer
        assert list_contact_keys() == [(USER, OTHER_PHONE, False)]


def build_user_id_change(**system: str) -> dict[str, Any]:
    return {"type": "system", "system": {"type": "user_changed_user_id", **system}}


class TestChanges:
    def test_follows_a_new_user_id_and_still_knows_the_old_one(self) -> None:
        buyer = receive_message(user_id=USER)

        assert (
            receive_message(**build_user_id_change(previous_user_id=USER, user_id=OTHER_USER))
            == buyer
        )
        assert list_contact_keys() == [(OTHER_USER, None, False)]
        assert receive_message(user_id=USER) == receive_message(user_id=OTHER_USER) == buyer
        assert ContactAlias.objects.get().user_id == USER

    def test_follows_a_new_user_id_as_it_was_told_before_august_2026(self) -> None:
        buyer = receive_message(user_id=USER)

        assert receive_message(user_id=USER, **build_user_id_change(user_id=OTHER_USER)) == buyer
        assert list_contact_keys() == [(OTHER_USER, None, False)]

    def test_follows_a_new_user_id_that_came_in_a_field_of_its_own(self) -> None:
        buyer = receive_message(user_id=USER)
        update = {"user_id": {"previous": USER, "current": OTHER_USER}, "timestamp": 1_767_168_200}
        metadata = {"display_phone_number": "15550100000", "phone_number_id": PHONE_NUMBER_ID}

        store_webhooks(
            build_change_webhook(
                "user_id_update", {"metadata": metadata, "user_id_update": [update]}
            )
        )

        assert receive_message(user_id=OTHER_USER) == buyer

    def test_falls_back_to_the_phone_when_the_old_user_id_is_unknown(self) -> None:
        buyer = receive_message(phone=PHONE)
        change_of_id = build_user_id_change(previous_user_id=USER, user_id=OTHER_USER)

        assert receive_message(phone=PHONE, **change_of_id) == buyer
        assert list_contact_keys() == [(OTHER_USER, PHONE, False)]

    def test_follows_a_new_phone(self) -> None:
        buyer = receive_message(phone=PHONE)
        system = {"type": "user_changed_number", "wa_id": OTHER_PHONE}

        assert receive_message(phone=PHONE, type="system", system=system) == buyer
        assert receive_message(phone=OTHER_PHONE) == buyer
        assert list_contact_keys() == [(None, OTHER_PHONE, False)]

    def test_makes_nobody_when_an_old_change_is_delivered_again(self) -> None:
        system = {"type": "user_changed_number", "wa_id": OTHER_PHONE}
        news = build_webhook(build_message(phone=PHONE, type="system", system=system))
        before = build_webhook(build_message(phone=PHONE))
        store_webhooks(before)
        store_webhooks(news)

        store_webhooks(news, before, now=NOON + timedelta(days=6))

        assert list_contact_keys() == [(None, OTHER_PHONE, False)]

    def test_gives_a_phone_that_somebody_left_to_a_newcomer_of_the_same_batch(self) -> None:
        receive_message(phone=PHONE)
        system = {"type": "user_changed_number", "wa_id": OTHER_PHONE}

        store_webhooks(
            build_webhook(
                build_message(phone=PHONE, type="system", system=system),
                build_message(phone=PHONE, user_id=None, at=NOON + MINUTE),
            )
        )

        assert (None, OTHER_PHONE, False) in list_contact_keys()

    def test_knows_an_old_user_id_on_the_number_where_it_changed(self) -> None:
        buyer = receive_message(user_id=USER)
        receive_message(**build_user_id_change(previous_user_id=USER, user_id=OTHER_USER))
        store_webhooks(build_webhook(build_message(phone=None, user_id=USER), number="2"))

        store_webhooks(
            build_webhook(build_message("wamid.late", phone=None, user_id=USER)),
            build_webhook(build_message(phone=None, user_id=USER), number="2"),
        )

        assert InboundMessage.objects.get(wa_message_id="wamid.late").contact_id == buyer

    def test_flags_both_when_the_new_user_id_wrote_before_the_change_was_told(self) -> None:
        receive_message(user_id=USER)
        newcomer = receive_message(user_id=OTHER_USER)

        assert (
            receive_message(**build_user_id_change(previous_user_id=USER, user_id=OTHER_USER))
            == newcomer
        )
        assert list_contact_keys() == [(USER, None, True), (OTHER_USER, None, True)]

    def test_flags_both_when_the_new_phone_belongs_to_somebody_else(self) -> None:
        receive_message(phone=OTHER_PHONE)
        buyer = receive_message(phone=PHONE)
        system = {"type": "user_changed_number", "wa_id": OTHER_PHONE}

        assert receive_message(phone=PHONE, type="system", system=system) == buyer
        assert list_contact_keys() == [(None, OTHER_PHONE, True), (None, PHONE, True)]


def announce_phone(old: str | None, new: str, **fields: Any) -> int | None:
    """Store the system message about a new phone number; return the contact it is about."""
    system = {"type": "user_changed_number", "wa_id": new}
    return receive_message(phone=old, type="system", system=system, **fields)


def list_suggestions() -> list[tuple[int, int, str]]:
    found = JoinSuggestion.objects.filter(settled_at=None)
    return list(found.values_list("first_id", "second_id", "reason"))


class TestAnnouncements:
    def test_the_next_message_from_a_new_phone_brings_the_new_user_id(self) -> None:
        buyer = receive_message(phone=PHONE, user_id=USER)

        assert announce_phone(PHONE, OTHER_PHONE) == buyer
        assert list_contact_keys() == [(None, OTHER_PHONE, False)]
        assert receive_message(phone=OTHER_PHONE, user_id=OTHER_USER) == buyer
        assert list_contact_keys() == [(OTHER_USER, OTHER_PHONE, False)]
        assert receive_message(user_id=USER) == buyer

    def test_of_a_phone_that_somebody_has_ends_in_a_suggestion_and_nothing_is_lost(self) -> None:
        former, owner = receive_message(phone=PHONE), receive_message(phone=OTHER_PHONE)

        assert announce_phone(PHONE, OTHER_PHONE) == former
        assert list_suggestions() == [(former, owner, ConflictReason.PHONE_CHANGED)]
        assert Alarm.objects.get().key == f"same_person:{former}:{owner}"
        assert not UnreadableItem.objects.exists()

    def test_from_a_phone_nobody_knows_to_one_that_somebody_has_changes_nothing(self) -> None:
        owner = receive_message(phone=OTHER_PHONE)

        assert announce_phone(PHONE, OTHER_PHONE) == owner
        assert list_contact_keys() == [(None, OTHER_PHONE, False)]
        assert not UnreadableItem.objects.exists()
        assert not Alarm.objects.exists()

    @pytest.mark.parametrize(
        "system",
        [
            {"type": "user_changed_number", "wa_id": OTHER_PHONE},
            {"type": "user_changed_user_id", "previous_user_id": USER, "user_id": OTHER_USER},
            {"type": "customer_changed_number", "new_wa_id": OTHER_PHONE},
        ],
    )
    def test_about_nobody_we_know_is_kept_without_a_contact_or_an_alarm(
        self, system: dict[str, str]
    ) -> None:
        assert receive_message(phone=PHONE, type="system", system=system) is None
        assert WhatsAppContact.objects.count() == 0
        assert not UnreadableItem.objects.exists()
        assert not Alarm.objects.exists()

    def test_does_not_give_a_strangers_new_user_id_to_who_has_their_old_phone(self) -> None:
        owner = receive_message(phone=PHONE, user_id="US.0")
        change = build_user_id_change(previous_user_id=USER, user_id=OTHER_USER)

        assert receive_message(phone=PHONE, **change) is None
        assert list_contact_keys() == [("US.0", PHONE, False)]
        assert receive_message(user_id="US.0") == owner

    def test_does_not_give_a_new_owner_of_a_phone_the_user_id_that_was_announced(self) -> None:
        receive_message(phone=OTHER_PHONE, user_id="US.0")
        system = {
            "type": "user_changed_number",
            "wa_id": OTHER_PHONE,
            "previous_user_id": USER,
            "user_id": OTHER_USER,
        }

        assert receive_message(phone=PHONE, type="system", system=system) is None
        assert list_contact_keys() == [("US.0", OTHER_PHONE, False)]

    def test_a_user_id_that_wrote_first_is_suggested_and_not_merged(self) -> None:
        former, newcomer = receive_message(user_id=USER), receive_message(user_id=OTHER_USER)

        receive_message(**build_user_id_change(previous_user_id=USER, user_id=OTHER_USER))

        assert list_suggestions() == [(former, newcomer, ConflictReason.USER_ID_CHANGED)]

    def test_two_keys_of_two_contacts_are_suggested_once_however_often_they_come(self) -> None:
        by_phone, by_user = receive_message(phone=PHONE), receive_message(user_id=USER)

        for _ in range(3):
            receive_message(phone=PHONE, user_id=USER)

        assert list_suggestions() == [(by_phone, by_user, ConflictReason.MESSAGE)]
        assert Alarm.objects.get().count == 1

    def test_a_suggestion_that_a_person_settled_does_not_come_back(self) -> None:
        by_phone, by_user = receive_message(phone=PHONE), receive_message(user_id=USER)
        receive_message(phone=PHONE, user_id=USER)
        assert by_phone is not None
        assert by_user is not None

        assert join_suggestions.settle_suggestion(by_user, by_phone, by="ana", now=NOON)
        receive_message(phone=PHONE, user_id=USER)

        assert join_suggestions.list_open_suggestions(by_phone) == []
        assert not Alarm.objects.filter(resolved_at=None).exists()
        assert not join_suggestions.settle_suggestion(by_user, by_phone, by="ana", now=NOON)
