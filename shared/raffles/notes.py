"""Notes and reasons that staff write: their length, and whether one is needed."""

from typing import Final

from shared.core.constants import MAX_NOTE_LENGTH
from shared.raffles.errors import NoteMissing, NoteTooLong

MAX_REFERENCE_LENGTH: Final = 100
"""Characters that the reference of a refund may have."""


def clean_note(note: str, *, required: bool = False, maximum: int = MAX_NOTE_LENGTH) -> str:
    """Return a note without white space around it.

    Args:
        note: the note as it was written.
        required: whether it must not be empty.
        maximum: the most characters it may have.

    Raises:
        NoteMissing: it is required and empty.
        NoteTooLong: it has more than `maximum` characters.

    """
    cleaned = note.strip()
    if required and not cleaned:
        raise NoteMissing
    if len(cleaned) > maximum:
        raise NoteTooLong(maximum=maximum)
    return cleaned
