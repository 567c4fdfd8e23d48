"""The ad or post in a message is read, whatever else is in its place."""

from typing import Any

from shared.whatsapp.referrals import Referral, parse_referral
from tests.cases import walk_cases


def test_an_ad_is_read_without_its_addresses() -> None:
    referral = {
        "source_url": "https://fb.me/3cr4Wqqkv",
        "source_id": "120226305854810726",
        "source_type": "ad",
        "headline": "Chat\n with us",
        "ctwa_clid": "Aff-n8ZT..",
    }

    assert parse_referral({"referral": referral}) == Referral(
        is_post=False, source_id="120226305854810726", headline="Chat with us"
    )


@walk_cases(
    ("referral", "expected"),
    [
        ({"source_type": "post", "source_id": 17}, Referral(True, "17", "")),
        ({"source_type": "POST"}, Referral(True, "", "")),
        ({"source_type": "story", "source_id": "1"}, Referral(False, "1", "")),
        ({"headline": "h\0i" + "!" * 100_000}, Referral(False, "", "hi" + "!" * 58)),
        ({"source_id": "9" * 100_000}, Referral(False, "9" * 40, "")),
        ({"source_url": "https://example.org"}, None),
        ({"source_id": {"a": 1}, "headline": ["x"]}, None),
        ({}, None),
        ([], None),
        ("ad", None),
        (None, None),
    ],
)
def test_what_is_malformed_counts_as_absent(referral: Any, expected: Referral | None) -> None:
    assert parse_referral({"referral": referral}) == expected
