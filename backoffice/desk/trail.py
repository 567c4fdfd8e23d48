"""Who did what in the back office, beside the orders' own history: Django's log of the admin."""

from typing import Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model
from django.http import HttpRequest

LONGEST: Final = 2_000
"""Characters of a sentence; the log is for people, who read no more."""


def note(request: HttpRequest, obj: Model, sentence: str, *, flag: int = CHANGE) -> None:
    """Write into an object's history what the signed-in person did; call it once that is done.

    Args:
        request: whose user did it.
        obj: what it was done to; its page in the admin shows the line under "History".
        sentence: what was done, e.g. "Blocked the contact".
        flag: Django's kind of entry: ADDITION, CHANGE or DELETION.

    """
    assert request.user.pk is not None  # noqa: S101 - the admin lets nobody in without a name
    LogEntry.objects.log_actions(
        request.user.pk, [obj], flag, sentence[:LONGEST], single_object=True
    )
