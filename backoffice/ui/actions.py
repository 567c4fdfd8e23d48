"""Actions of staff: call one use case and say what happened, whatever happens."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from django.contrib import messages
from django.db import InterfaceError, OperationalError
from django.db.models import Model
from django.http import HttpRequest

from shared.core.enums import ActorKind
from shared.core.errors import DomainError
from shared.raffles.actor import Actor

type ActionResult = tuple[int, str]


def build_staff_actor(request: HttpRequest) -> Actor:
    """Say which member of staff asks."""
    return Actor(ActorKind.STAFF, id=str(request.user.pk), label=request.user.get_username())


def run_action(request: HttpRequest, act: Callable[[], ActionResult]) -> bool:
    """Do something and tell how it went; a refusal or a busy database is told, never a 500."""
    return attempt_action(request, act, refused=describe_refusal)[0] != messages.ERROR


def attempt_action(
    request: HttpRequest,
    act: Callable[[], ActionResult],
    *,
    refused: Callable[[DomainError], ActionResult],
) -> tuple[int, DomainError | None]:
    """Do something, tell how it went, and say the level of that and why it was refused, if so.

    Args:
        request: whose reader is told.
        act: what is done.
        refused: how a refusal is put; it never becomes a 500, and neither does a busy database.

    """
    refusal = None
    try:
        level, sentence = act()
    except DomainError as error:
        refusal = error
        level, sentence = refused(error)
    except (OperationalError, InterfaceError):
        level, sentence = messages.ERROR, "The database is busy; nothing was changed. Try again."
    messages.add_message(request, level, sentence)
    return level, refusal


def describe_refusal(refusal: DomainError) -> ActionResult:
    """Put a refusal as its own sentence."""
    return messages.ERROR, f"{refusal.message()} Nothing was changed."


_MAX_ROWS_NAMED: Final = 12
"""So many rows are named when many are dealt with; the rest are counted."""


def apply_to_each_row[Row: Model](
    request: HttpRequest,
    rows: Iterable[Row],
    act: Callable[[HttpRequest, Row], None],
    *,
    done: str,
    name: Callable[[Row], str] = str,
) -> None:
    """Do something to many rows, each by itself, and tell what became of each.

    Args:
        request: whose user asks; the messages go to them.
        rows: what they chose.
        act: what is done to one; its refusal leaves that row as it is and the others go on.
        done: what happened to those that were not refused, e.g. "Queued again".
        name: what a row is called.

    """
    became: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in rows:
        try:
            act(request, row)
            outcome = (messages.SUCCESS, done)
        except DomainError as refusal:
            outcome = (messages.WARNING, f"Left as it is. {refusal.message()}")
        except (OperationalError, InterfaceError):
            outcome = (messages.ERROR, "The database was busy; try again")
        became[outcome].append(name(row))
    for (level, sentence), names in sorted(became.items()):
        more = f" and {len(names) - _MAX_ROWS_NAMED} more" if len(names) > _MAX_ROWS_NAMED else ""
        listed = ", ".join(names[:_MAX_ROWS_NAMED]) + more
        messages.add_message(request, level, f"{sentence.rstrip('.')} ({len(names)}): {listed}.")
