"""The message that an action of staff ends in."""

import pytest
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

from backoffice.ui.actions import ActionRefused, StaffAction, run_action
from shared.core.errors import DomainError


class NothingLeft(DomainError):
    """Nothing is left."""

    code = "nothing_left"


@pytest.fixture
def request_of_staff() -> HttpRequest:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined] # as the middleware does
    return request


def shown(request: HttpRequest) -> list[tuple[int, str]]:
    return [(message.level, str(message)) for message in messages.get_messages(request)]


def test_a_success_is_reported(request_of_staff: HttpRequest) -> None:
    with StaffAction(request_of_staff) as action:
        action.report(messages.SUCCESS, "Done.")

    assert action.succeeded
    assert shown(request_of_staff) == [(messages.SUCCESS, "Done.")]


@pytest.mark.parametrize(
    ("error", "level", "sentence"),
    [
        (NothingLeft(), messages.ERROR, "Nothing is left. Nothing was changed."),
        (ActionRefused("Write a note."), messages.ERROR, "Write a note."),
        (ActionRefused("Look again.", level=messages.WARNING), messages.WARNING, "Look again."),
        *[
            (busy(), messages.ERROR, "The database is busy; nothing was changed. Try again.")
            for busy in (OperationalError, InterfaceError)
        ],
    ],
)
def test_a_refusal_ends_the_action_and_is_shown(
    request_of_staff: HttpRequest, error: Exception, level: int, sentence: str
) -> None:
    with StaffAction(request_of_staff) as action:
        raise error

    assert not action.succeeded
    assert action.refusal is (error if isinstance(error, DomainError) else None)
    assert shown(request_of_staff) == [(level, sentence)]


def test_any_other_error_propagates_without_a_message(request_of_staff: HttpRequest) -> None:
    with pytest.raises(LookupError), StaffAction(request_of_staff):
        raise LookupError

    assert shown(request_of_staff) == []


@pytest.mark.parametrize("level", [messages.SUCCESS, messages.WARNING, messages.ERROR])
def test_run_action_returns_whether_there_was_no_error(
    request_of_staff: HttpRequest, level: int
) -> None:
    assert run_action(request_of_staff, lambda: (level, "Said.")) is (level != messages.ERROR)
    assert shown(request_of_staff) == [(level, "Said.")]
