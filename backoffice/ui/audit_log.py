"""Entries in Django's admin log about actions of staff.

Decisions about orders are recorded in the orders' own history instead.
"""

from typing import Final

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

_MAX_NAME_LENGTH: Final = 200
MAX_SENTENCE_LENGTH: Final = 2_000
"""Characters of a sentence that are stored; people who read the log need no more."""


def record_action(request: HttpRequest, obj: Model, sentence: str, *, flag: int = CHANGE) -> None:
    """Log an action of the signed-in user on one object; call it after the action.

    Args:
        request: The request of the user.
        obj: The object; its admin page shows the entry under "History".
        sentence: What was done, e.g. "Blocked the contact".
        flag: Django's kind of log entry: ADDITION, CHANGE or DELETION.

    """
    LogEntry.objects.log_actions(
        _get_user_id(request), [obj], flag, sentence[:MAX_SENTENCE_LENGTH], single_object=True
    )


def record_bulk_action(
    request: HttpRequest, kind: type[Model], *, name: str, sentence: str
) -> None:
    """Log an action of the signed-in user on many rows of one model.

    Args:
        request: The request of the user.
        kind: The model of the rows.
        name: A name for all the rows, e.g. "All raffles".
        sentence: What was done.

    """
    LogEntry.objects.create(
        user_id=_get_user_id(request),
        content_type=ContentType.objects.get_for_model(kind),
        object_repr=name[:_MAX_NAME_LENGTH],
        action_flag=CHANGE,
        change_message=sentence[:MAX_SENTENCE_LENGTH],
    )


def _get_user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # noqa: S101 - the admin requires a login
    return request.user.pk
