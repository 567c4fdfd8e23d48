"""Actions of staff, each with a message about its outcome on the next page."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.db.models import Model
from django.http import HttpRequest

from shared.core.enums import ActorKind
from shared.core.errors import DomainError
from shared.raffles.actor import Actor

type ActionResult = tuple[int, str]
"""A level of `django.contrib.messages`, and the sentence shown at that level."""

_MAX_ROWS_NAMED: Final = 12
"""Rows named in one message; the others are counted."""


class ActionRefused(Exception):
    """A form asks for something that cannot be done; nothing was changed."""

    def __init__(self, sentence: str, *, level: int = messages.ERROR) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.level = level


class StaffAction:
    """Context manager around one use case that shows its outcome as a message.

    The last statement of the block is `report`. A `DomainError`, an `ActionRefused` or a busy
    database ends the block early: the message then says that nothing was changed, and the view
    continues after the block. Any other exception propagates.

        with StaffAction(request) as action:
            payments.cancel_order(order_id, by=build_staff_actor(request), now=now)
            action.report(messages.SUCCESS, "The order is cancelled.")
        return redirect(next_page if action.succeeded else this_page)

    Attributes:
        request: The request of the member of staff who gets the message.
        level: The level of the message, set at the end of the block.
        refusal: The domain error that ended the block; None if there was none.

    """

    level: int
    _sentence: str

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.refusal: DomainError | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the message is about a success."""
        return self.level == messages.SUCCESS

    def report(self, level: int, sentence: str) -> None:
        """Set the message that is shown at the end of the block."""
        self.level, self._sentence = level, sentence

    def describe_refusal(self, refusal: DomainError) -> ActionResult:
        """Return the message about a domain error: its own sentence."""
        return messages.ERROR, f"{refusal.message()} Nothing was changed."

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        match error:
            case None:
                pass
            case ActionRefused():
                self.report(error.level, error.sentence)
            case DomainError():
                self.refusal = error
                self.report(*self.describe_refusal(error))
            case OperationalError() | InterfaceError():
                self.report(messages.ERROR, "The database is busy; nothing was changed. Try again.")
            case _:
                return False
        messages.add_message(self.request, self.level, self._sentence)
        return True


def build_staff_actor(request: HttpRequest) -> Actor:
    """Return the signed-in member of staff as the actor of a use case."""
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def run_action(request: HttpRequest, act: Callable[[], ActionResult]) -> bool:
    """Run one action and show its outcome as a message; `StaffAction` as a function.

    Args:
        request: The request of the member of staff who gets the message.
        act: Does it, and returns the message about its outcome.

    Returns:
        False if the message is about an error.

    """
    with StaffAction(request) as action:
        action.report(*act())
    return action.level != messages.ERROR


def apply_to_each_row[Row: Model](
    request: HttpRequest,
    rows: Iterable[Row],
    act: Callable[[HttpRequest, Row], None],
    *,
    done: str,
    name: Callable[[Row], str] = str,
) -> None:
    """Apply an action to each row separately and show one message per outcome.

    Args:
        request: The request of the member of staff who gets the messages.
        rows: The rows to act on.
        act: Acts on one row. A domain error or a busy database leaves that row as it is, and the
            next row follows.
        done: The sentence about the rows that were changed, e.g. "Queued again".
        name: Returns the name of a row for the message.

    """
    names_by_outcome: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in rows:
        try:
            act(request, row)
            outcome = (messages.SUCCESS, done)
        except DomainError as refusal:
            outcome = (messages.WARNING, f"Left as it is. {refusal.message()}")
        except (OperationalError, InterfaceError):
            outcome = (messages.ERROR, "The database was busy; try again")
        names_by_outcome[outcome].append(name(row))
    for (level, sentence), names in sorted(names_by_outcome.items()):
        more = f" and {len(names) - _MAX_ROWS_NAMED} more" if len(names) > _MAX_ROWS_NAMED else ""
        listed = ", ".join(names[:_MAX_ROWS_NAMED]) + more
        messages.add_message(request, level, f"{sentence.rstrip('.')} ({len(names)}): {listed}.")
