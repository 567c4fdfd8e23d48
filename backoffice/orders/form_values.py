"""Values that forms and addresses send about orders and proofs."""

from django.http import HttpRequest

from backoffice.ui import ids
from shared.core.constants import MAX_NOTE_LENGTH


def parse_seen_proof_ids(request: HttpRequest) -> list[int]:
    """Return the ids of the pending proofs that the page of a decision showed."""
    return ids.parse_ids(request.POST.getlist("seen"))


def parse_note(request: HttpRequest, *, field: str = "note") -> str:
    """Return the note that was written beside a decision; may be empty."""
    return request.POST.get(field, "").strip()[:MAX_NOTE_LENGTH]
