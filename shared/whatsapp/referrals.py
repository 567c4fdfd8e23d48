"""Referrals: the ad or post of Meta from which a buyer opened the chat.

Source: Meta's page "messages webhook reference", the object `referral`. Addresses, pictures and the
click id in it are not read: nothing here needs them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.whatsapp.json_reader import read_mapping, read_string

_ID_LIMIT: Final = 40
_HEADLINE_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class Referral:
    """An ad or post that led to the chat.

    Attributes:
        is_post: whether it is a post and no ad.
        source_id: Meta's id of it; may be empty.
        headline: its headline, in one line; may be empty.

    """

    is_post: bool
    source_id: str
    headline: str


def parse_referral(payload: Mapping[str, Any]) -> Referral | None:
    """Return the referral of a stored message, or None if it has none that names anything."""
    referral = read_mapping(payload, "referral")
    source_type = read_string(referral, "source_type").lower()
    source_id = read_string(referral, "source_id")[:_ID_LIMIT]
    headline = " ".join(read_string(referral, "headline")[:1_000].split())[:_HEADLINE_LIMIT].strip()
    if not (source_type or source_id or headline):
        return None
    return Referral(source_type == "post", source_id, headline)
