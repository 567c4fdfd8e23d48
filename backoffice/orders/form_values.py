"""Values that forms and addresses send about orders and proofs."""

from django.http import HttpRequest

from backoffice.ui import ids
from shared.core.constants import MAX_NOTE_LENGTH


def parse_seen_proof_ids(request: HttpRequest, *, order_id: int | None = None) -> list[int]:
    """Return the ids of the proofs that the page of a decision showed.

    Args:
        request: the POST of the decision.
        order_id: the order, if the page showed several; the proofs of each have their own field.

    """
    field = "seen" if order_id is None else f"seen-{order_id}"
    return ids.parse_ids(request.POST.getlist(field))


def parse_note(request: HttpRequest, *, field: str = "note") -> str:
    """Return the note that was written beside a decision; may be empty."""
    return request.POST.get(field, "").strip()[:MAX_NOTE_LENGTH]
