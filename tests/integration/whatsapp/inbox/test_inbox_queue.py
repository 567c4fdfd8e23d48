"""Tests of the inbox: everything from Meta is stored once, however often it comes."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from shared.core.enums import InboxStatus
from shared.whatsapp import payloads
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    BusinessNumber,
    ContactAlias,
    DeliveryStatus,
    InboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.services.inbox import contacts, inbox_queue, webhook_store
from shared.whatsapp.services.inbox.batch import Arrival, WebhookBatch
from shared.whatsapp.webhook_items import Webhook
from tests.builders import MINUTE, NOON, PHONE_NUMBER_ID
from tests.conftest import skip_or_fail
from tests.integration.concurrency import repeat_at_once
from tests.integration.conversation.chat import BuyerChat
from tests.integration.whatsapp.webhook_builders import (
    PHONE,
    USER_ID,
    build_change_webhook,
    build_contact,
    build_message,
    build_status,
    build_webhook,
    store_webhooks,
    store_within_two_seconds,
)

PAYLOADS = Path(__file__).parents[5] / "shared" / "payloads"

STORED_MODELS = (
    WhatsAppContact,
    ContactAlias,
    InboundMessage,
    DeliveryStatus,
    AccountNotice,
    UnreadableItem,
    BusinessNumber,
)


def count_rows() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in STORED_MODELS}


def dump_rows() -> dict[str, list[Any]]:
    return {
        model.__name__: [*model._default_manager.order_by("pk").values()] for model in STORED_MODELS
    }


@pytest.mark.django_db
class TestStore:
    def test_keeps_a_message_with_everything_about_it(self) -> None:
        stored = store_webhooks(
            build_webhook(
                build_message("wamid.1", at=NOON - MINUTE), contacts=[build_contact("Sheena")]
            ),
            now=NOON,
        )

        kept = InboundMessage.objects.select_related("contact").get()
        assert kept.contact is not None
        assert stored.contact_ids == (kept.contact.pk,)
        assert (kept.contact.wa_id, kept.contact.profile_name) == (PHONE, "Sheena")
        assert kept.contact.last_inbound_at is None
        assert (kept.wa_message_id, kept.text, kept.type) == ("wamid.1", "hello", "text")
        assert (kept.sent_at, kept.received_at) == (NOON - MINUTE, NOON)
        assert (kept.status, kept.correlation_id) == (InboxStatus.RECEIVED, "c0ffee")
        assert kept.payload["text"] == {"body": "hello"}

    def test_changes_nothing_when_the_same_comes_again(self) -> None:
        everything = (
            build_webhook(
                build_message("wamid.1", user_id=USER_ID), contacts=[build_contact("Sheena")]
            ),
            build_webhook(statuses=[build_status("sent", wamid="wamid.2")]),
            build_change_webhook("account_update", {"event": "ACCOUNT_DELETED"}),
            payloads.parse_webhook(b"not json"),
        )
        store_webhooks(*everything)
        InboundMessage.objects.update(status=InboxStatus.PROCESSED)
        BusinessNumber.objects.update(paused_at=None)
        before = dump_rows()

        store_webhooks(*everything, now=NOON + timedelta(seconds=30))

        assert dump_rows() == before
        assert {alarm.count for alarm in Alarm.objects.all()} == {1}

    def test_keeps_two_messages_with_the_same_id_in_one_payload_once(self) -> None:
        store_webhooks(
            build_webhook(build_message("wamid.1"), build_message("wamid.1")),
            build_webhook(build_message("wamid.1")),
        )

        assert InboundMessage.objects.count() == 1

    def test_keeps_the_same_id_of_two_business_numbers_twice(self) -> None:
        store_webhooks(
            build_webhook(build_message("wamid.1")),
            build_webhook(build_message("wamid.1"), number="2"),
        )

        assert InboundMessage.objects.count() == 2
        assert WhatsAppContact.objects.count() == 2

    def test_tells_reactions_on_one_message_apart(self) -> None:
        def reaction(**fields: str) -> dict[str, Any]:
            return build_message(
                "wamid.1", type="reaction", reaction={"message_id": "wamid.0", **fields}
            )

        stored = store_webhooks(
            build_webhook(reaction(emoji="👍")),
            build_webhook(reaction()),
            build_webhook(reaction()),
        )

        assert InboundMessage.objects.filter(status=InboxStatus.IGNORED).count() == 2
        assert stored.contact_ids == ()

    def test_keeps_a_text_with_nul_characters(self) -> None:
        store_webhooks(
            build_webhook(build_message(text={"body": "a\0b"}), contacts=[build_contact("N\0ul")])
        )

        kept = InboundMessage.objects.get()
        assert (kept.text, kept.payload["text"]["body"]) == ("ab", "ab")
        assert UnreadableItem.objects.count() == 0

    def test_keeps_a_message_without_a_sender_and_sounds_an_alarm(self) -> None:
        stored = store_webhooks(build_webhook(build_message(phone=None)))

        kept = InboundMessage.objects.get()
        assert (kept.contact, kept.status) == (None, InboxStatus.IGNORED)
        assert stored.contact_ids == ()
        assert Alarm.objects.get().key == "message_without_sender"

    def test_keeps_a_message_to_a_number_that_is_not_ours_and_answers_nobody(self) -> None:
        system = {"type": "user_changed_number", "wa_id": "15550100009"}
        stored = store_webhooks(
            build_webhook(
                build_message(user_id="US.1"),
                build_message(type="system", system=system),
                number="999",
            ),
            build_webhook(build_message(phone="15550100003"), number="999"),
        )

        assert stored.contact_ids == ()
        assert WhatsAppContact.objects.count() == 0
        kept = InboundMessage.objects.all()
        assert {(one.phone_number_id, one.status) for one in kept} == {("999", InboxStatus.IGNORED)}
        alarm = Alarm.objects.get()
        assert (alarm.key, alarm.count) == ("unknown_number:999", 1)

    def test_keeps_the_contact_of_ours_as_it_is_when_they_write_to_another_number(self) -> None:
        store_webhooks(build_webhook(build_message(phone="15550100001")))
        before = list(WhatsAppContact.objects.values())

        store_webhooks(
            build_webhook(build_message(phone="15550100001", user_id="US.9"), number="999"),
            build_change_webhook(
                "user_id_update",
                {
                    "metadata": {"phone_number_id": "999"},
                    "user_id_update": [{"user_id": {"previous": "US.9", "current": "US.10"}}],
                },
            ),
        )

        assert list(WhatsAppContact.objects.values()) == before

    def test_keeps_a_status_of_a_number_that_is_not_ours_without_applying_it(self) -> None:
        store_webhooks(build_webhook(statuses=[build_status("failed", wamid="w")], number="999"))

        assert DeliveryStatus.objects.get().applied_at == NOON
        assert Alarm.objects.get().key == "unknown_number:999"

    def test_keeps_what_cannot_be_read_byte_for_byte(self) -> None:
        store_webhooks(payloads.parse_webhook(b"\xff not json"))

        assert bytes(UnreadableItem.objects.get().body) == b"\xff not json"
        assert Alarm.objects.get().key == "unreadable"

    def test_stores_the_rest_when_one_item_is_refused_by_the_database(self) -> None:
        bad = build_webhook(build_message("wamid.bad"))
        refused = replace(bad.messages[0], wa_message_id=cast("str", None))
        good = build_webhook(
            build_message("wamid.good"), statuses=[build_status("read", wamid="wamid.out")]
        )

        stored = store_webhooks(good, replace(bad, messages=(refused,)))

        assert InboundMessage.objects.get().wa_message_id == "wamid.good"
        assert stored.contact_ids == (InboundMessage.objects.get().contact_id,)
        assert DeliveryStatus.objects.count() == 1
        kept = UnreadableItem.objects.get()
        assert "IntegrityError" in kept.reason
        assert orjson.loads(bytes(kept.body))["dedupe_key"] == "wamid.bad"

    def test_keeps_a_number_that_no_column_holds_as_bytes(self) -> None:
        hook = build_webhook(statuses=[build_status("failed", wamid="wamid.1", code=1)])
        huge = replace(hook.statuses[0], error_code=2**70)

        store_webhooks(replace(hook, statuses=(huge,)))

        assert DeliveryStatus.objects.count() == 0
        assert str(2**70).encode() in bytes(UnreadableItem.objects.get().body)

    def test_does_not_swallow_a_violated_constraint(self) -> None:
        hook = build_webhook(build_message())
        refused = replace(hook.messages[0], text=cast("str", None))

        with pytest.raises(IntegrityError):
            webhook_store.store_batch(
                WebhookBatch.from_webhooks([Webhook(messages=(refused,))], [Arrival(NOON, "")]),
                now=NOON,
            )

    def test_stores_thousands_of_items_of_one_batch(self) -> None:
        people = [f"1555{serial:07d}" for serial in range(1200)]

        stored = store_webhooks(build_webhook(*(build_message(phone=phone) for phone in people)))

        assert len(stored.contact_ids) == 1200
        assert InboundMessage.objects.count() == 1200

    def test_notes_when_a_number_was_heard_of_to_the_minute(self) -> None:
        for seconds in (0, 30, 61):
            store_webhooks(build_webhook(build_message()), now=NOON + timedelta(seconds=seconds))

        number = BusinessNumber.objects.get()
        assert number.last_webhook_at == NOON + timedelta(seconds=61)
        assert (number.phone_number_id, number.display_phone_number) == (
            PHONE_NUMBER_ID,
            "15550100000",
        )

    def test_takes_few_statements_for_buyers_it_knows(
        self, django_assert_max_num_queries: Any
    ) -> None:
        def batch() -> list[Webhook]:
            return [
                build_webhook(build_message(phone=f"155501000{n:02d}", user_id=f"US.{n}"))
                for n in range(50)
            ]

        store_webhooks(*batch())

        with django_assert_max_num_queries(5):  # savepoint, contacts, messages, number, release
            store_webhooks(*batch())


@pytest.mark.django_db(transaction=True)
class TestStoreAtOnce:
    def test_keeps_a_message_once_that_comes_fifty_times_together(self) -> None:
        hook = build_webhook(
            build_message("wamid.1", user_id=USER_ID), contacts=[build_contact("Sheena")]
        )

        stored = repeat_at_once(50, lambda _: store_webhooks(hook))

        assert InboundMessage.objects.count() == 1
        assert WhatsAppContact.objects.count() == 1
        assert UnreadableItem.objects.count() == 0
        assert len(stored) == 50

    def test_makes_each_new_contact_once_when_gateways_meet_them_in_different_order(self) -> None:
        def batch(turn: int) -> list[Webhook]:
            people = [f"155501000{n:02d}" for n in range(20)]
            return [
                build_webhook(build_message(phone=phone, user_id=f"US.{phone}"))
                for phone in (people if turn % 2 else reversed(people))
            ]

        repeat_at_once(6, lambda turn: store_webhooks(*batch(turn)))

        assert WhatsAppContact.objects.count() == 20
        assert InboundMessage.objects.count() == 120
        assert UnreadableItem.objects.count() == 0

    def test_does_not_wait_for_a_buyer_who_is_being_answered(self, vendor: str) -> None:
        if vendor == "sqlite":
            pytest.skip("SQLite has one lock for everything")
        [buyer] = store_webhooks(
            build_webhook(build_message(), contacts=[build_contact("Old name")])
        ).contact_ids

        with transaction.atomic():
            contacts.lock_contact(buyer)
            hook = build_webhook(build_message(), contacts=[build_contact("New name")])
            repeat_at_once(1, lambda _: store_within_two_seconds(hook))

        assert InboundMessage.objects.count() == 2
        assert WhatsAppContact.objects.get().profile_name == "Old name"

    def test_raises_and_keeps_nothing_when_the_database_cannot_write(self, vendor: str) -> None:
        on, off = (
            ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
            if vendor == "sqlite"
            else (
                "SET default_transaction_read_only = on",
                "SET default_transaction_read_only = off",
            )
        )
        with connection.cursor() as cursor:
            cursor.execute(on)
        try:
            with pytest.raises(DatabaseError):
                store_webhooks(build_webhook(build_message()))
        finally:
            with connection.cursor() as cursor:
                cursor.execute(off)

        assert count_rows() == dict.fromkeys(count_rows(), 0)


@pytest.mark.django_db
class TestWaiting:
    def test_names_buyers_by_who_waits_longest(self) -> None:
        [second] = store_webhooks(
            build_webhook(build_message(phone="15550100002")), now=NOON + MINUTE
        ).contact_ids
        [first] = store_webhooks(
            build_webhook(build_message(phone="15550100003")), now=NOON
        ).contact_ids
        store_webhooks(build_webhook(build_message(phone="15550100002")), now=NOON + 2 * MINUTE)

        assert inbox_queue.list_waiting_contacts(now=NOON + 3 * MINUTE, limit=10) == [first, second]
        assert inbox_queue.list_waiting_contacts(now=NOON + 3 * MINUTE, limit=1) == [first]
        assert inbox_queue.get_oldest_unanswered_age(now=NOON + 3 * MINUTE) == 3 * MINUTE

    def test_leaves_alone_what_is_answered_or_tried_again_later(self) -> None:
        store_webhooks(build_webhook(build_message(phone="15550100002")))
        InboundMessage.objects.update(status=InboxStatus.PROCESSED)
        [later] = store_webhooks(build_webhook(build_message(phone="15550100003"))).contact_ids
        InboundMessage.objects.filter(contact=later).update(next_attempt_at=NOON + MINUTE)

        assert inbox_queue.list_waiting_contacts(now=NOON, limit=10) == []
        assert inbox_queue.list_waiting_contacts(now=NOON + MINUTE, limit=10) == [later]

    def test_says_that_nobody_waits(self) -> None:
        assert inbox_queue.get_oldest_unanswered_age(now=NOON) is None

    def test_gives_messages_in_the_order_they_were_written(self) -> None:
        [buyer] = store_webhooks(
            build_webhook(
                build_message("wamid.2", at=NOON), build_message("wamid.1", at=NOON - MINUTE)
            )
        ).contact_ids

        assert [kept.wa_message_id for kept in inbox_queue.list_unanswered_messages(buyer)] == [
            "wamid.1",
            "wamid.2",
        ]


def load_real_payloads() -> list[tuple[str, bytes]]:
    """Return every payload of Meta's documentation and pywa's tests, with its name."""
    found = [(file.name, file.read_bytes()) for file in sorted(PAYLOADS.glob("meta-docs/*.json"))]
    for file in sorted(PAYLOADS.glob("pywa/*.json")):
        for name, document in orjson.loads(file.read_bytes()).items():
            found.append((f"{file.stem}.{name}", orjson.dumps(document)))
    return found


@pytest.mark.django_db
class TestRecordedPayloads:
    def test_each_is_stored_and_a_second_time_changes_nothing(self) -> None:
        if not PAYLOADS.is_dir():
            skip_or_fail(f"no recorded payloads at {PAYLOADS}")
        bodies = load_real_payloads()

        for _, body in bodies:
            store_webhooks(payloads.parse_webhook(body))
        before = dump_rows()
        for _, body in bodies:
            store_webhooks(payloads.parse_webhook(body))
        store_webhooks(*(payloads.parse_webhook(body) for _, body in bodies))

        assert len(bodies) > 100
        assert dump_rows() == before
        assert not UnreadableItem.objects.filter(reason__startswith="not stored").exists()
        answered = InboundMessage.objects.filter(status=InboxStatus.RECEIVED)
        assert answered.count() > 5
        assert set(answered.values_list("phone_number_id", flat=True)) == {PHONE_NUMBER_ID}
        others = InboundMessage.objects.exclude(phone_number_id__in=["", PHONE_NUMBER_ID])
        assert others.count() > 10
        assert not others.exclude(contact=None, status=InboxStatus.IGNORED).exists()
        assert set(WhatsAppContact.objects.values_list("phone_number_id", flat=True)) == {
            PHONE_NUMBER_ID
        }


@pytest.mark.django_db
def test_buyers_with_few_messages_go_before_one_with_many() -> None:
    flooding, earlier, later = (BuyerChat(now=NOON) for _ in range(3))
    earlier.later(seconds=-1).receives("text", {"text": {"body": "hi"}})
    for _ in range(10):
        flooding.receives("text", {"text": {"body": "hi"}})
    later.later(seconds=5).receives("text", {"text": {"body": "hi"}})

    assert inbox_queue.list_waiting_contacts(now=later.now, limit=100) == [
        earlier.contact.pk,
        later.contact.pk,
        flooding.contact.pk,
    ]


@pytest.mark.django_db
def test_a_buyer_is_found_behind_any_number_of_messages_of_another() -> None:
    flooding, other = BuyerChat(), BuyerChat()
    for _ in range(50):
        flooding.receives("text", {"text": {"body": "hi"}})
    other.later(seconds=1).receives("text", {"text": {"body": "hi"}})

    waiting = inbox_queue.list_waiting_contacts(now=other.now, limit=2)
    assert waiting == [other.contact.pk, flooding.contact.pk]
