"""Tests of the messages that staff see after an action."""

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
def staff_request() -> HttpRequest:
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined] # as the middleware does
    return request


def list_messages(request: HttpRequest) -> list[tuple[int, str]]:
    return [(message.level, str(message)) for message in messages.get_messages(request)]


def test_a_success_is_reported(staff_request: HttpRequest) -> None:
    with StaffAction(staff_request) as action:
        action.report(messages.SUCCESS, "Done.")

    assert action.succeeded
    assert list_messages(staff_request) == [(messages.SUCCESS, "Done.")]


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
    staff_request: HttpRequest, error: Exception, level: int, sentence: str
) -> None:
    with StaffAction(staff_request) as action:
        raise error

    assert not action.succeeded
    assert action.refusal is (error if isinstance(error, DomainError) else None)
    assert list_messages(staff_request) == [(level, sentence)]


def test_any_other_error_propagates_without_a_message(staff_request: HttpRequest) -> None:
    with pytest.raises(LookupError), StaffAction(staff_request):
        raise LookupError

    assert list_messages(staff_request) == []


@pytest.mark.parametrize("level", [messages.SUCCESS, messages.WARNING, messages.ERROR])
def test_run_action_returns_whether_there_was_no_error(
    staff_request: HttpRequest, level: int
) -> None:
    assert run_action(staff_request, lambda: (level, "Said.")) is (level != messages.ERROR)
    assert list_messages(staff_request) == [(level, "Said.")]
