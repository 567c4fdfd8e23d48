"""Who did what in the back office, beside the orders' own history: Django's log of the admin."""

from typing import Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

_MAX_NAME_LENGTH: Final = 200
MAX_SENTENCE_LENGTH: Final = 2_000
"""Characters of a sentence; the log is for people, who read no more."""


def record_action(request: HttpRequest, obj: Model, sentence: str, *, flag: int = CHANGE) -> None:
    """Write into an object's history what the signed-in person did; call it once that is done.

    Args:
        request: whose user did it.
        obj: what it was done to; its page in the admin shows the line under "History".
        sentence: what was done, e.g. "Blocked the contact".
        flag: Django's kind of entry: ADDITION, CHANGE or DELETION.

    """
    LogEntry.objects.log_actions(
        _get_user_id(request), [obj], flag, sentence[:MAX_SENTENCE_LENGTH], single_object=True
    )


def record_bulk_action(
    request: HttpRequest, kind: type[Model], *, name: str, sentence: str
) -> None:
    """Write down what the signed-in person did with many rows of a kind at once.

    Args:
        request: whose user did it.
        kind: the model of the rows.
        name: what the rows are called together, e.g. "All raffles".
        sentence: what was done.

    """
    LogEntry.objects.create(
        user_id=_get_user_id(request),
        content_type=ContentType.objects.get_for_model(kind),
        object_repr=name[:_MAX_NAME_LENGTH],
        action_flag=CHANGE,
        change_message=sentence[:MAX_SENTENCE_LENGTH],
    )


def _get_user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # noqa: S101 - the admin lets nobody in without a name
    return request.user.pk
