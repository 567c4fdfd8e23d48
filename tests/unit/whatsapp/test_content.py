"""Tests of translating messages into the conversation's terms."""

import base64
import hashlib
from typing import Any

import pytest

from shared.whatsapp.content import ContentKind, MediaRef, MessageContent, parse_content
from tests.cases import walk_cases

DIGEST = hashlib.sha256(b"receipt").hexdigest()
BASE64_DIGEST = base64.b64encode(bytes.fromhex(DIGEST)).decode()
FILE = {"id": "1003383421387256", "mime_type": "image/jpeg", "sha256": BASE64_DIGEST}
OURS = {"context": {"from": "15550109999", "id": "wamid.O1"}}

CASES: list[tuple[dict[str, Any], MessageContent]] = [
    (
        {"type": "text", "text": {"body": " 5 random\n"}},
        MessageContent(ContentKind.TEXT, "5 random"),
    ),
    (
        {"type": "text", "text": {"body": "yes"}, **OURS},
        MessageContent(ContentKind.TEXT, "yes", replied_to="wamid.O1"),
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "button_reply",
                "button_reply": {"id": "cancel:1", "title": "Cancel"},
            },
            **OURS,
        },
        MessageContent(ContentKind.TAP, "Cancel", reply_id="cancel:1", replied_to="wamid.O1"),
    ),
    (
        {
            "type": "interactive",
            "interactive": {
                "type": "list_reply",
                "list_reply": {"id": "raffle:1", "title": "Summer", "description": "a motorbike"},
            },
        },
        MessageContent(ContentKind.TAP, "Summer", reply_id="raffle:1"),
    ),
    (
        {"type": "button", "button": {"payload": "menu", "text": "Menu"}},
        MessageContent(ContentKind.TAP, "Menu", reply_id="menu"),
    ),
    (
        {
            "type": "interactive",
            "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Sent"}},
        },
        MessageContent(ContentKind.OTHER),
    ),
    ({"type": "interactive"}, MessageContent(ContentKind.OTHER)),
    (
        {"type": "image", "image": {**FILE, "caption": "paid"}, **OURS},
        MessageContent(
            ContentKind.IMAGE,
            "paid",
            media=MediaRef("1003383421387256", "image/jpeg", DIGEST, ""),
            replied_to="wamid.O1",
        ),
    ),
    (
        {
            "type": "document",
            "document": {
                "id": "7",
                "mime_type": "Application/PDF; x=1",
                "sha256": DIGEST.upper(),
                "filename": "receipt.pdf",
            },
        },
        MessageContent(
            ContentKind.DOCUMENT, media=MediaRef("7", "application/pdf", DIGEST, "receipt.pdf")
        ),
    ),
    (
        {"type": "audio", "audio": {"id": "8", "mime_type": "audio/ogg; codecs=opus"}},
        MessageContent(ContentKind.AUDIO, media=MediaRef("8", "audio/ogg", "", "")),
    ),
    ({"type": "video", "video": {"id": ""}}, MessageContent(ContentKind.VIDEO)),
    (
        {"type": "image", "image": {"id": "9" * 256}},
        MessageContent(ContentKind.IMAGE, lost_file=True),
    ),
    ({"type": "sticker"}, MessageContent(ContentKind.STICKER)),
    (
        {"type": "location", "location": {"name": "Park", "address": "1 Way", "latitude": 1.5}},
        MessageContent(ContentKind.LOCATION, "Park, 1 Way"),
    ),
    (
        {"type": "location", "location": {"latitude": 37.4, "longitude": -122.1}},
        MessageContent(ContentKind.LOCATION, "37.4, -122.1"),
    ),
    (
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Ana"}}, {}, "x"]},
        MessageContent(ContentKind.CONTACTS, "Ana"),
    ),
    (
        {"type": "order", "order": {"text": "Love these!"}},
        MessageContent(ContentKind.ORDER, "Love these!"),
    ),
    (
        {"type": "system", "system": {"body": "changed"}},
        MessageContent(ContentKind.SYSTEM, "changed"),
    ),
    (
        {"type": "reaction", "reaction": {"message_id": "wamid.O1", "emoji": "👍"}},
        MessageContent(ContentKind.REACTION, "👍", replied_to="wamid.O1"),
    ),
    (
        {
            "type": "edit",
            "edit": {
                "original_message_id": "wamid.A1",
                "message": {"type": "image", "image": {"caption": "Updated"}},
            },
        },
        MessageContent(ContentKind.EDIT, "Updated", replied_to="wamid.A1"),
    ),
    (
        {"type": "revoke", "revoke": {"original_message_id": "wamid.A1"}},
        MessageContent(ContentKind.REVOKE, replied_to="wamid.A1"),
    ),
    (
        {"type": "unsupported", "unsupported": {"type": "poll"}},
        MessageContent(ContentKind.UNSUPPORTED),
    ),
    ({"type": "request_welcome"}, MessageContent(ContentKind.OTHER)),
    ({"text": {"body": "no type"}}, MessageContent(ContentKind.TEXT, "no type")),
    ({}, MessageContent(ContentKind.OTHER)),
    ({"type": "text", "text": None}, MessageContent(ContentKind.TEXT)),
    ({"type": "text", "text": {"body": ["x"]}}, MessageContent(ContentKind.TEXT)),
    (
        {"type": "image", "image": "x", "context": "y"},
        MessageContent(ContentKind.IMAGE, lost_file=True),
    ),
    (
        {"type": "document", "document": {"mime_type": "application/pdf"}},
        MessageContent(ContentKind.DOCUMENT, lost_file=True),
    ),
    (
        {"type": "unsupported", "errors": ["x", {"code": 131052, "title": "Media download error"}]},
        MessageContent(ContentKind.UNSUPPORTED, lost_file=True),
    ),
    (
        {"type": "unsupported", "errors": [{"code": 131051}]},
        MessageContent(ContentKind.UNSUPPORTED),
    ),
]


@walk_cases(("payload", "expected"), CASES)
def test_each_kind_of_message_says_what_it_says(
    payload: dict[str, Any], expected: MessageContent
) -> None:
    assert parse_content(payload) == expected


@pytest.mark.parametrize("digest", ["", "x", "=", "AAAA", "ä" * 44, "a1b2c3d4e5f6...", "0" * 63])
def test_a_digest_that_is_none_is_left_out(digest: str) -> None:
    media = parse_content({"type": "image", "image": {"id": "1", "sha256": digest}}).media

    assert media is not None
    assert media.sha256 == ""
