"""Tests of which messages may be payment proofs."""

from typing import Any

import pytest

from shared.conversation.answering.inbound_events import is_proof, may_act_when_stale
from shared.whatsapp.content import parse_content


def build_document(mime_type: str | None, filename: str = "") -> dict[str, Any]:
    """Return the payload of a document message."""
    file = {"id": "77", "filename": filename, "mime_type": mime_type}
    return {"type": "document", "document": {k: v for k, v in file.items() if v is not None}}


@pytest.mark.parametrize(
    ("mime_type", "filename"),
    [
        ("application/pdf", "receipt.pdf"),
        ("application/octet-stream", "receipt.pdf"),
        ("application/octet-stream", ""),
        ("binary/octet-stream", "receipt"),
        ("application/x-pdf", ""),
        ("image/heic", "IMG_0001.HEIC"),
        ("image/jpeg", ""),
        ("", ""),
        (None, ""),
        ("text/plain", "Receipt.PDF "),
        ("application/vnd.ms-excel", "x" * 300 + ".jpeg"),
        ("application/zip", "photo.jpg"),
    ],
)
def test_a_document_is_downloaded_unless_it_is_known_to_be_something_else(
    mime_type: str | None, filename: str
) -> None:
    assert is_proof(parse_content(build_document(mime_type, filename)))


@pytest.mark.parametrize(
    "payload",
    [
        build_document("application/msword", "letter.doc"),
        build_document("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        build_document("text/csv", "list.csv"),
        build_document("audio/ogg; codecs=opus", "voice.ogg"),
        build_document("application/zip", "photos.zip"),
        {"type": "sticker", "sticker": {"id": "77", "mime_type": "image/webp"}},
        {"type": "video", "video": {"id": "77", "mime_type": "video/mp4"}},
        {"type": "image", "image": {"mime_type": "image/jpeg"}},
    ],
)
def test_what_cannot_be_a_receipt_is_not(payload: dict[str, Any]) -> None:
    assert not is_proof(parse_content(payload))


def test_a_photo_that_whatsapp_lost_is_asked_for_again_even_after_an_outage() -> None:
    assert may_act_when_stale(parse_content({"type": "image", "image": {}}))
