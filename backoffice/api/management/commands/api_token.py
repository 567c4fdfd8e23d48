"""Management command that creates, lists and revokes API tokens."""

from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import IO, Any, Final, cast

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from backoffice.api import tokens
from backoffice.api.models import ApiToken
from shared.core.commands import OperatorCommand
from shared.core.enums import Scope

COMMAND_LABEL: Final = "manage api_token"
"""Name stored as the author of tokens that the command creates or revokes."""
MAX_DAYS: Final = 3650


class Command(OperatorCommand):
    """The command `api_token`."""

    help = "Make an API token, list all of them, or take one back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add a subcommand for each action."""
        actions = parser.add_subparsers(
            dest="action", required=True, metavar="create | list | revoke"
        )
        create = actions.add_parser("create", help="make a token and show it, this once")
        create.add_argument("name", help="who uses it, e.g. n8n; histories of orders show it")
        create.add_argument(
            "--scope",
            choices=[scope.lower() for scope in Scope],
            default=Scope.READ.lower(),
            help="read: look only; review: decide about payments, too; admin: refund and run "
            "raffles, too; draw: look, enter values and draw",
        )
        create.add_argument(
            "--expires", type=_parse_days, metavar="DAYS", help="after so many days"
        )
        actions.add_parser("list", help="show all tokens, never their text")
        revoke = actions.add_parser("revoke", help="take a token back, from the next request on")
        revoke.add_argument("name", help="of a token that works")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        """Run a subcommand."""
        match action:
            case "create":
                self._create(options["name"], Scope(options["scope"].upper()), options["expires"])
            case "list":
                self._list()
            case _:
                self._revoke(options["name"])

    def _create(self, name: str, scope: Scope, days: int | None) -> None:
        """Create a token; print its text to the output and its description to the error output.

        Raises:
            CommandError: the name is taken or too long.

        """
        now = timezone.now()
        expires_at = None if days is None else now + timedelta(days=days)
        try:
            ApiToken._meta.get_field("name").clean(name, None)  # noqa: SLF001 - documented by Django
            issued = tokens.issue_token(
                name=name, scope=scope, by=COMMAND_LABEL, expires_at=expires_at, now=now
            )
        except ValidationError as error:
            raise CommandError(f"The name: {error.messages[0]}") from None
        except tokens.TokenNameTaken as error:
            raise CommandError(error.message()) from None
        self.stderr.write(
            f"{name} may {scope.lower()}, {_describe_expiry(expires_at)}. Shown this once:"
        )
        self.stdout.write(issued.text)

    def _list(self) -> None:
        table = Table(box=None)
        for title in ("name", "begins with", "scope", "made", "by", "last used", "state"):
            table.add_column(title, overflow="fold")
        now = timezone.now()
        for token in ApiToken.objects.order_by("id"):
            table.add_row(
                token.name,
                f"{token.prefix}…",
                token.scope.lower(),
                _format_day(token.created_at),
                token.created_by,
                _format_minute(token.last_used_at),
                _describe_state(token, now=now),
            )
        Console(file=cast("IO[str]", self.stdout)).print(table)

    def _revoke(self, name: str) -> None:
        """Revoke a token.

        Raises:
            CommandError: there is no valid token with the name.

        """
        token = ApiToken.objects.filter(name=name, revoked_at=None).first()
        if token is None:
            raise CommandError(f"No token that works is called {name}; `list` shows them all.")
        tokens.revoke_token(token, by=COMMAND_LABEL, now=timezone.now())
        self.stdout.write(self.style.SUCCESS(f"{name} opens nothing any more."))


def _parse_days(text: str) -> int:
    """Return a count of days, at most ten years."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_DAYS:
        raise ArgumentTypeError(f"must be 1 to {MAX_DAYS} days")
    return int(text)


def _describe_state(token: ApiToken, *, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {_format_day(token.revoked_at)} {token.revoked_by}".strip()
    if token.expires_at is not None and token.expires_at <= now:
        return f"expired {_format_day(token.expires_at)}"
    return "works" if token.expires_at is None else f"works {_describe_expiry(token.expires_at)}"


def _describe_expiry(expires_at: datetime | None) -> str:
    return "until it is revoked" if expires_at is None else f"until {_format_day(expires_at)}"


def _format_day(at: datetime) -> str:
    return at.date().isoformat()


def _format_minute(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
