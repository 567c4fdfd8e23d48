"""Values that forms and addresses send about orders and proofs."""

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest

from shared.core.constants import MAX_NOTE_LENGTH

_MAX_ID_DIGITS: Final = 18
"""Digits of an id that is certain to fit into 64 bits."""
_MAX_RAFFLE_ID_DIGITS: Final = 9


def parse_id(text: str, *, max_digits: int = _MAX_ID_DIGITS) -> int | None:
    """Return the id in a text; None if it is not a number or has too many digits."""
    return int(text) if text.isdecimal() and len(text) <= max_digits else None


def parse_ids(texts: Iterable[str]) -> list[int]:
    """Return the ids in some texts, without those that are not ids."""
    return [key for text in texts if (key := parse_id(text)) is not None]


def parse_raffle_id(text: str) -> int | None:
    """Return the id of the raffle that a worklist is filtered by; None for all raffles."""
    return parse_id(text, max_digits=_MAX_RAFFLE_ID_DIGITS)


def parse_seen_proof_ids(request: HttpRequest) -> list[int]:
    """Return the ids of the pending proofs that the page of a decision showed."""
    return parse_ids(request.POST.getlist("seen"))


def parse_note(request: HttpRequest, *, field: str = "note") -> str:
    """Return the note that was written beside a decision; may be empty."""
    return request.POST.get(field, "").strip()[:MAX_NOTE_LENGTH]
