"""Tests of parsing webhooks, item by item."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.whatsapp import payloads
from shared.whatsapp.models import (
    AccountNotice,
    DeliveryStatus,
    InboundMessage,
    UnreadableItem,
    WhatsAppContact,
)
from shared.whatsapp.webhook_items import (
    IdentityChange,
    MessageItem,
    NoticeItem,
    StatusItem,
    Webhook,
)
from tests.builders import NOON, PHONE_NUMBER_ID
from tests.unit.whatsapp.webhook_payloads import (
    PHONE,
    SENT_AT,
    USER_ID,
    WABA_ID,
    build_change,
    build_message,
    build_status,
    build_value,
    encode_webhook,
)


def read_one(**fields: Any) -> MessageItem:
    (item,) = payloads.parse_webhook(
        encode_webhook(build_change(messages=[build_message(**fields)]))
    ).messages
    return item


def read_status(**fields: Any) -> StatusItem:
    (item,) = payloads.parse_webhook(
        encode_webhook(build_change(statuses=[build_status(**fields)]))
    ).statuses
    return item


def read_notice(*changes: Any, **entry: Any) -> NoticeItem:
    (item,) = payloads.parse_webhook(encode_webhook(*changes, **entry)).notices
    return item


class TestMessage:
    def test_is_read_with_its_sender(self) -> None:
        card = {
            "profile": {"name": "Sheena Nelson", "username": "@sheena"},
            "wa_id": PHONE,
            "user_id": USER_ID,
            "parent_user_id": "US.ENT.118",
        }

        (item,) = payloads.parse_webhook(
            encode_webhook(build_change(contacts=[card], messages=[build_message()]))
        ).messages

        assert item == MessageItem(
            phone_number_id=PHONE_NUMBER_ID,
            waba_id="102290129340398",
            display_phone_number="15550109999",
            wa_message_id="wamid.A1",
            dedupe_key="wamid.A1",
            user_id=USER_ID,
            parent_user_id="US.ENT.118",
            wa_id=PHONE,
            profile_name="Sheena Nelson",
            username="sheena",
            type="text",
            text="5 random",
            sent_at=NOON,
            payload=build_message(),
            answerable=True,
        )

    def test_finds_its_sender_by_key_whatever_the_order(self) -> None:
        cards = [
            {"profile": {"name": "B"}, "user_id": "US.2"},
            {"profile": {"name": "A"}, "wa_id": PHONE, "user_id": "US.1"},
            "nonsense",
        ]
        first = build_message(id="1", from_user_id="US.1")
        second = build_message(id="2", from_user_id="US.2") | {"from": ""}
        stranger = build_message(id="3", from_user_id="US.3") | {"from": "15550100003"}
        body = encode_webhook(build_change(contacts=cards, messages=[first, second, stranger]))

        names = [(item.profile_name, item.wa_id) for item in payloads.parse_webhook(body).messages]

        assert names == [("A", PHONE), ("B", None), ("", "15550100003")]

    def test_prefers_the_user_id_to_the_phone(self) -> None:
        cards = [
            {"profile": {"name": "Phone"}, "wa_id": PHONE},
            {"profile": {"name": "Id"}, "user_id": USER_ID},
        ]

        (item,) = payloads.parse_webhook(
            encode_webhook(build_change(contacts=cards, messages=[build_message()]))
        ).messages

        assert item.profile_name == "Id"

    @pytest.mark.parametrize(
        ("sender", "card", "expected"),
        [
            ({"from_user_id": USER_ID}, {"user_id": USER_ID, "wa_id": PHONE}, (USER_ID, PHONE)),
            ({"from": PHONE}, {"user_id": USER_ID, "wa_id": PHONE}, (USER_ID, PHONE)),
            ({"from": PHONE}, {"user_id": USER_ID, "wa_id": "15550100002"}, (None, PHONE)),
            ({"from": "", "from_user_id": USER_ID}, {}, (USER_ID, None)),
            ({"from": "+" + PHONE}, {}, (None, PHONE)),
            ({"from": USER_ID}, {}, (USER_ID, None)),
            ({"from": "<PHONE>"}, {}, (None, None)),
            ({"from_user_id": "U" * 161, "from": PHONE}, {}, (None, PHONE)),
            ({}, {"user_id": USER_ID, "wa_id": PHONE}, (None, None)),
        ],
    )
    def test_completes_a_missing_key_from_the_matching_contact_only(
        self, sender: dict[str, str], card: dict[str, str], expected: tuple[str | None, str | None]
    ) -> None:
        item = {"id": "wamid.A1", "timestamp": SENT_AT, "type": "text", **sender}

        (read,) = payloads.parse_webhook(
            encode_webhook(build_change(contacts=[card], messages=[item]))
        ).messages

        assert (read.user_id, read.wa_id) == expected
        assert read.answerable is (expected != (None, None))

    @pytest.mark.parametrize(
        ("timestamp", "expected"),
        [
            (SENT_AT, NOON),
            (int(SENT_AT), NOON),
            (float(SENT_AT), NOON),
            (SENT_AT + "123", NOON),
            (int(SENT_AT) * 1000, NOON),
            ("1234567890", datetime(2009, 2, 13, 23, 31, 30, tzinfo=UTC)),
            ("TIMESTAMP", None),
            ("", None),
            (None, None),
            (True, None),
            ("0", None),
            ("-5", None),
            ("9" * 30, None),
            ("9999999999", None),
            ([SENT_AT], None),
        ],
    )
    def test_is_kept_even_when_its_time_cannot_be_read(
        self, timestamp: Any, expected: datetime | None
    ) -> None:
        assert read_one(timestamp=timestamp).sent_at == expected

    @pytest.mark.parametrize(
        "fields",
        [
            {"type": "reaction", "reaction": {"message_id": "wamid.O1", "emoji": "😮"}},
            {"type": "edit", "edit": {"original_message_id": "wamid.A0"}},
            {"type": "revoke", "revoke": {"original_message_id": "wamid.A0"}},
            {"type": "system", "system": {"type": "customer_identity_changed"}},
            {"group_id": "Y2FwaV9ncm91cDox"},
            {"from": "15550109999", "from_user_id": None},
            {"to": "15550100002"},
            {"from": None, "from_user_id": None},
        ],
    )
    def test_is_kept_but_not_answered_when_it_asks_for_nothing(
        self, fields: dict[str, Any]
    ) -> None:
        item = read_one(**fields)

        assert item.answerable is False
        assert item.payload == build_message(**fields)

    @pytest.mark.parametrize(
        "type_", ["hologram", "interactive", "unsupported", "x" * 100, None, 7]
    )
    def test_of_an_unknown_type_is_kept_and_answered(self, type_: Any) -> None:
        item = read_one(type=type_)

        assert item.answerable
        assert item.payload == build_message(type=type_)
        assert 0 < len(item.type) <= 40

    def test_without_metadata_is_kept_and_cannot_be_answered(self) -> None:
        body = encode_webhook({"field": "messages", "value": {"messages": [build_message()]}})

        (item,) = payloads.parse_webhook(body).messages

        assert item.phone_number_id == ""
        assert item.answerable is False

    def test_repeats_share_a_key_and_reactions_take_time_and_emoji_into_it(self) -> None:
        set_ = {"type": "reaction", "reaction": {"message_id": "wamid.O1", "emoji": "👍"}}
        taken_back = {"type": "reaction", "reaction": {"message_id": "wamid.O1"}}
        keys = {
            read_one().dedupe_key,
            read_one(**set_).dedupe_key,
            read_one(**set_, timestamp="1795348900").dedupe_key,
            read_one(**taken_back).dedupe_key,
        }

        assert len(keys) == 4
        assert (
            read_one(**set_).dedupe_key == read_one(**set_).dedupe_key == (f"wamid.A1|{SENT_AT}|👍")
        )

    def test_long_reactions_still_have_a_key_that_fits(self) -> None:
        fields = {"id": "w" * 255, "type": "reaction"}
        one = read_one(**fields, reaction={"emoji": "👍" * 500})
        other = read_one(**fields, reaction={"emoji": "👍" * 501})

        assert len(one.dedupe_key) <= 320
        assert one.dedupe_key != other.dedupe_key


class TestChangeOfIdentity:
    def test_since_august_names_both_ids(self) -> None:
        item = read_one(
            **{"from": None},
            from_user_id=None,
            type="system",
            text=None,
            system={
                "body": "User changed from ES.2 to ES.3",
                "user_id": "ES.3",
                "previous_user_id": "ES.2",
                "type": "user_changed_user_id",
            },
        )

        assert (item.user_id, item.previous_user_id) == ("ES.3", "ES.2")
        assert (item.wa_id, item.new_wa_id) == (None, None)
        assert item.text == "User changed from ES.2 to ES.3"

    @pytest.mark.parametrize("key", ["from_user_id", "from"])
    def test_before_it_came_with_the_old_id_as_its_sender(self, key: str) -> None:
        sender = {"from": None, "from_user_id": None, key: "US.1"}
        system = {"user_id": "US.2", "parent_user_id": "US.ENT.1", "type": "user_changed_user_id"}

        item = read_one(**sender, type="system", system=system)

        assert (item.user_id, item.previous_user_id) == ("US.2", "US.1")
        assert item.parent_user_id == "US.ENT.1"

    @pytest.mark.parametrize(
        "system",
        [
            {"wa_id": "15550100002", "type": "user_changed_number"},
            {"new_wa_id": "15550100002", "type": "customer_changed_number"},
        ],
    )
    def test_of_the_phone_names_the_old_and_the_new(self, system: dict[str, str]) -> None:
        item = read_one(from_user_id=None, type="system", system=system)

        assert (item.wa_id, item.new_wa_id) == (PHONE, "15550100002")
        assert (item.user_id, item.previous_user_id) == (None, None)

    def test_of_the_security_code_changes_no_key(self) -> None:
        item = read_one(type="system", system={"type": "customer_identity_changed"})

        assert (item.user_id, item.previous_user_id, item.new_wa_id) == (USER_ID, None, None)

    def test_as_a_field_of_its_own_is_a_notice_that_lists_them(self) -> None:
        update = {
            "wa_id": PHONE,
            "detail": "id changed",
            "user_id": {"previous": "US.1", "current": "US.2"},
            "parent_user_id": {"previous": "US.ENT.1", "current": "US.ENT.2"},
            "timestamp": SENT_AT,
        }
        broken = {"user_id": "US.3"}

        notice = read_notice(build_change("user_id_update", user_id_update=[update, broken]))

        assert notice.identity_changes == (
            IdentityChange(
                phone_number_id=PHONE_NUMBER_ID,
                previous_user_id="US.1",
                user_id="US.2",
                parent_user_id="US.ENT.2",
                wa_id=PHONE,
            ),
        )


class TestStatus:
    def test_is_read(self) -> None:
        item = read_status(biz_opaque_callback_data="key", recipient_user_id=USER_ID)

        assert item == StatusItem(
            phone_number_id=PHONE_NUMBER_ID,
            waba_id="102290129340398",
            wa_message_id="wamid.O1",
            status="delivered",
            participant="",
            callback_data="key",
            occurred_at=NOON,
            recipient_wa_id=PHONE,
            recipient_user_id=USER_ID,
            error_code=None,
            error="",
            payload=build_status(biz_opaque_callback_data="key", recipient_user_id=USER_ID),
        )

    @pytest.mark.parametrize(
        ("error", "code", "words"),
        [
            (
                {"code": 131047, "title": "Re-engagement", "error_data": {"details": "24 hours"}},
                131047,
                "Re-engagement: 24 hours",
            ),
            ({"code": "131026", "title": "Undeliverable", "details": "old"}, 131026, None),
            ({"code": 10**12, "message": "Same", "details": "Same"}, None, "Same"),
            ({}, None, ""),
            ("nonsense", None, ""),
            ({"code": 1, "title": "x" * 900}, 1, "x" * 500),
        ],
    )
    def test_says_why_it_failed(self, error: Any, code: int | None, words: str | None) -> None:
        item = read_status(status="failed", errors=[error])

        assert item.error_code == code
        assert item.error == ("Undeliverable: old" if words is None else words)

    @pytest.mark.parametrize(
        "key",
        ["recipient_participant_user_id", "recipient_participant_id", "participant_recipient_id"],
    )
    def test_of_a_group_names_the_participant(self, key: str) -> None:
        assert read_status(**{key: "15550100007"}).participant == "15550100007"

    def test_without_a_recipient_or_with_an_unknown_word_is_kept(self) -> None:
        item = read_status(recipient_id=None, status="pondered", timestamp="TIMESTAMP")

        assert (item.status, item.occurred_at, item.recipient_wa_id) == ("pondered", None, None)


class TestNotice:
    def test_of_the_account_is_kept_whole(self) -> None:
        restriction = {"field": "account_update", "value": {"event": "ACCOUNT_RESTRICTION"}}

        notice = read_notice(restriction, time=1751247548)

        assert notice.waba_id == WABA_ID
        assert notice.field == "account_update"
        assert notice.payload == restriction
        assert notice.needs_attention
        assert notice.title == "account_update: ACCOUNT_RESTRICTION"
        assert len(notice.dedupe_key) == 64

    def test_is_the_same_when_it_comes_again_in_another_order_of_keys(self) -> None:
        one = {"field": "security", "value": {"event": "PIN_CHANGED", "requester": "1"}}
        same = {"value": {"requester": "1", "event": "PIN_CHANGED"}, "field": "security"}

        assert read_notice(one, time=1).dedupe_key == read_notice(same, time=1).dedupe_key
        assert read_notice(one, time=1).dedupe_key != read_notice(one, time=2).dedupe_key

    @pytest.mark.parametrize(
        ("field", "fields", "expected"),
        [
            ("account_update", {"event": "DISABLED_UPDATE"}, True),
            ("account_update", {"event": "PARTNER_ADDED"}, False),
            ("account_review_update", {"decision": "REJECTED"}, True),
            ("account_review_update", {"decision": "APPROVED"}, False),
            ("account_alerts", {}, True),
            ("security", {"event": "PIN_RESET_REQUEST"}, True),
            ("phone_number_quality_update", {"event": "FLAGGED"}, True),
            ("message_template_status_update", {"event": "REJECTED"}, False),
            ("hologram", {}, False),
        ],
    )
    def test_asks_for_attention_when_a_person_should_look(
        self, field: str, fields: dict[str, str], expected: bool
    ) -> None:
        assert read_notice(build_change(field, **fields)).needs_attention is expected

    @pytest.mark.parametrize(
        ("field", "name"),
        [
            ("message_echoes", "message_echoes"),
            ("standby", "messages"),
            ("history", "messages"),
            ("messages", "message_echoes"),
            ("calls", "statuses"),
        ],
    )
    def test_is_what_others_said_and_never_a_message_to_us(self, field: str, name: str) -> None:
        read = payloads.parse_webhook(
            encode_webhook(build_change(field, **{name: [build_message()]}))
        )

        assert not read.messages
        assert not read.statuses
        assert not read.unreadable
        assert read.notices[0].payload["value"][name] == [build_message()]

    def test_of_errors_stands_beside_the_message_it_came_with(self) -> None:
        errors = [{"code": 131000, "title": "Something went wrong"}]

        read = payloads.parse_webhook(
            encode_webhook(build_change(messages=[build_message()], errors=errors))
        )

        assert len(read.messages) == 1
        assert read.notices[0].payload["value"]["errors"] == errors
        assert "messages" not in read.notices[0].payload["value"]
        assert read.notices[0].needs_attention
        assert read.notices[0].title == "messages: Something went wrong"


class TestEverything:
    def test_in_several_entries_and_changes_is_read(self) -> None:
        document = {
            "entry": [
                {
                    "id": "1",
                    "changes": [
                        build_change(messages=[build_message(id="1"), build_message(id="2")]),
                        build_change(
                            statuses=[build_status(id="3"), build_status(id="3", status="read")]
                        ),
                    ],
                },
                {
                    "id": "2",
                    "changes": [
                        build_change("account_alerts"),
                        build_change(messages=[build_message()]),
                    ],
                },
            ]
        }

        read = payloads.parse_webhook(json.dumps(document).encode())

        assert [item.wa_message_id for item in read.messages] == ["1", "2", "wamid.A1"]
        assert [item.status for item in read.statuses] == ["delivered", "read"]
        assert [item.field for item in read.notices] == ["account_alerts"]
        assert read.unreadable == ()

    def test_written_as_objects_with_numbers_is_read_in_order(self) -> None:
        inner = {str(n): build_message(id=str(n)) for n in (10, 2, 1)}
        document = {"entry": {"0": {"id": "1", "changes": {"0": build_change(messages=inner)}}}}

        read = payloads.parse_webhook(json.dumps(document).encode())

        assert [item.wa_message_id for item in read.messages] == ["1", "2", "10"]

    def test_good_survives_the_bad_between(self) -> None:
        bad: list[Any] = [
            build_message(id=None),
            build_message(id="w" * 256),
            build_message(id=""),
            "text",
            None,
            [],
            5,
        ]

        body = encode_webhook(
            build_change(messages=[build_message(id="1"), *bad, build_message(id="2")])
        )
        read = payloads.parse_webhook(body)

        assert [item.wa_message_id for item in read.messages] == ["1", "2"]
        assert len(read.unreadable) == len(bad)

    def test_bad_is_kept_as_a_webhook_that_can_be_read_again(self) -> None:
        bad = build_status(status=None)

        (part,) = payloads.parse_webhook(
            encode_webhook(build_change(statuses=[build_status(), bad]), time=5)
        ).unreadable

        (entry,) = json.loads(part.body)["entry"]
        assert (entry["id"], entry["time"]) == (WABA_ID, 5)
        assert entry["changes"][0]["value"]["statuses"] == [bad]
        assert entry["changes"][0]["value"]["metadata"] == build_value()["metadata"]
        assert part.reason == "status is missing"
        assert payloads.parse_webhook(part.body).unreadable == (part,)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"5",
            b'"text"',
            b"{}",
            b'{"entry": null}',
            b'{"entry": "x"}',
            b"\xff\xfe{}",
            b"{",
            b'{"entry": [NaN]}',
            b'{"entry": NaN}',
            b"<html></html>",
            b'{"entry": ' + b"[" * 100_000,
            b'{"entry": ' + b"[" * 900 + b"]" * 900 + b"}",
            b'{"a":' * 100_000,
            b'{"entry": [{"changes": [{"value": ' + b"9" * 5000 + b"}]}]}",
        ],
    )
    def test_of_a_body_that_is_no_webhook_is_kept_byte_for_byte(self, body: bytes) -> None:
        read = payloads.parse_webhook(body)

        assert [part.body for part in read.unreadable] == [body]
        assert read == Webhook(unreadable=read.unreadable)
        assert 0 < len(read.unreadable[0].reason) <= 300

    @pytest.mark.parametrize("depth", [100, 900, 5_000])
    def test_too_deep_spoils_only_its_own_item(self, depth: int) -> None:
        text = encode_webhook(
            build_change(messages=[build_message(id="1"), build_message(id="2", text="DEEP")])
        ).decode()
        body = text.replace('"DEEP"', "[" * depth + "]" * depth).encode()

        read = payloads.parse_webhook(body)

        if depth < 1_000:
            assert [item.wa_message_id for item in read.messages] == ["1"]
        assert len(read.unreadable) == 1

    def test_empty_leaves_nothing(self) -> None:
        assert (
            payloads.parse_webhook(b'{"object":"whatsapp_business_account","entry":[]}')
            == Webhook()
        )

    def test_without_object_or_field_or_entry_is_read(self) -> None:
        bare = json.dumps(build_change(messages=[build_message()])).encode()

        assert len(payloads.parse_webhook(bare).messages) == 1
        assert (
            len(
                payloads.parse_webhook(
                    encode_webhook(build_change(None, messages=[build_message()]))
                ).messages
            )
            == 1
        )

    def test_with_a_field_on_the_wrong_level_is_read(self) -> None:
        notice = read_notice({"value": {"event": "PARTNER_REMOVED"}}, field="account_update")

        assert notice.field == "account_update"

    @pytest.mark.parametrize("bad", [None, "x", 5, [], {"field": "messages"}, {"value": "x"}])
    def test_in_a_change_without_value_is_kept(self, bad: Any) -> None:
        body = encode_webhook(bad, build_change(messages=[build_message()]))

        read = payloads.parse_webhook(body)

        assert len(read.messages) == 1
        assert [part.body for part in read.unreadable] == [body]

    def test_for_a_number_whose_id_is_too_long_is_kept_as_bytes(self) -> None:
        metadata = {"phone_number_id": "1" * 33}

        body = encode_webhook(
            build_change(messages=[build_message()], statuses=[build_status()], metadata=metadata)
        )
        read = payloads.parse_webhook(body)

        assert len(read.unreadable) == 2
        assert not read.messages
        assert not read.statuses


class TestHarmless:
    def test_has_no_nul_and_no_half_of_a_pair(self) -> None:
        body = encode_webhook(
            build_change(
                contacts=[{"profile": {"name": "A\0na \ud83d"}, "wa_id": PHONE}],
                messages=[build_message(text={"body": "a\0b \ud800 🚀"}, from_user_id=None)],
            )
        )

        (item,) = payloads.parse_webhook(body).messages

        assert item.text == "ab \ufffd 🚀"
        assert item.profile_name == "Ana \ufffd"
        assert item.payload["text"] == {"body": "ab \ufffd 🚀"}

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity"])
    def test_numbers_that_json_cannot_write_become_words(self, number: str) -> None:
        text = encode_webhook(build_change(messages=[build_message(text="BIG")])).decode()

        (item,) = payloads.parse_webhook(text.replace('"BIG"', number).encode()).messages

        assert isinstance(item.payload["text"], str)

    def test_escaped_and_plain_letters_are_the_same(self) -> None:
        escaped = encode_webhook(
            build_change(messages=[build_message(text={"body": "äöå a/b < 🚀"})])
        )
        plain = json.dumps(json.loads(escaped), ensure_ascii=False).encode()

        assert payloads.parse_webhook(escaped) == payloads.parse_webhook(
            plain.replace(b"/", b"\\/")
        )


leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(), max_size=8)
    | st.sampled_from(["text", "system", "reaction", "image", PHONE, USER_ID, SENT_AT, "w" * 400])
)
WORDS = """
    entry changes value field metadata phone_number_id display_phone_number contacts profile name
    username wa_id user_id parent_user_id messages statuses errors id from from_user_id timestamp
    type text body image sha256 caption interactive button_reply title context reaction emoji
    system previous_user_id new_wa_id status recipient_id code error_data details location
    user_id_update previous current edit message 0 1
"""
keys = st.sampled_from(WORDS.split()) | st.text(max_size=5)
documents = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6)
)


def assert_fits(read: Webhook) -> None:
    for model, items in (
        (InboundMessage, read.messages),
        (WhatsAppContact, read.messages),
        (DeliveryStatus, read.statuses),
        (AccountNotice, read.notices),
        (UnreadableItem, read.unreadable),
    ):
        for item in items:
            for field in model._meta.fields:
                words = getattr(item, field.name, None)
                if isinstance(words, str):
                    assert "\0" not in words
                    words.encode()
                    assert field.max_length is None or len(words) <= field.max_length, field
    kept: list[Any] = [*read.messages, *read.statuses, *read.notices]
    for stored in kept:
        text = json.dumps(stored.payload, allow_nan=False, ensure_ascii=False)
        assert "\\u0000" not in text
        text.encode()


class TestAnyBytes:
    @given(st.binary(max_size=200))
    def test_are_read_or_kept(self, body: bytes) -> None:
        read = payloads.parse_webhook(body)

        assert [part.body for part in read.unreadable] in ([body], [])
        assert_fits(read)

    @given(documents)
    def test_of_json_are_read_or_kept(self, document: Any) -> None:
        assert_fits(payloads.parse_webhook(json.dumps(document).encode()))

    @given(documents)
    def test_around_a_good_message_do_not_spoil_it(self, other: Any) -> None:
        body = encode_webhook(
            other, build_change(contacts=other, messages=[other, build_message(id="good")])
        )

        read = payloads.parse_webhook(body)

        assert "good" in [item.wa_message_id for item in read.messages]
        assert_fits(read)

    @given(st.dictionaries(keys, documents, max_size=8), st.text(max_size=300))
    def test_as_a_message_lose_nothing(self, fields: dict[str, Any], type_: str) -> None:
        item = build_message(**{**fields, "type": type_})

        read = payloads.parse_webhook(encode_webhook(build_change(messages=[item])))

        assert len(read.messages) + len(read.unreadable) == 1
        assert_fits(read)
        for part in read.unreadable:
            assert json.loads(part.body)["entry"][0]["changes"][0]["value"]["messages"]

    @given(st.dictionaries(keys, documents, max_size=8))
    def test_as_a_status_lose_nothing(self, fields: dict[str, Any]) -> None:
        read = payloads.parse_webhook(
            encode_webhook(build_change(statuses=[build_status(**fields)]))
        )

        assert len(read.statuses) + len(read.unreadable) == 1
        assert_fits(read)


def test_a_body_of_three_megabytes_is_read() -> None:
    long = encode_webhook(build_change(messages=[build_message(text={"body": "x" * 3_000_000})]))
    many = encode_webhook(
        build_change(messages=[build_message(id=f"wamid.{n}") for n in range(1000)])
    )

    assert len(payloads.parse_webhook(long).messages[0].text) == 3_000_000
    assert len({item.dedupe_key for item in payloads.parse_webhook(many).messages}) == 1000


def test_a_part_that_is_unreadable_has_a_digest_of_its_own() -> None:
    body = encode_webhook(
        build_change(messages=[build_message(id=None), build_message(id=None, type="image")])
    )

    parts = payloads.parse_webhook(body).unreadable

    assert len({hashlib.sha256(part.body).hexdigest() for part in parts}) == 2
