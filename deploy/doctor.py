"""`rafflebot doctor`: what is in place, what is not, and the next step on the way to live."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import django
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.dotenv import fresh_secrets
from gateway import doctor as meta
from gateway.doctor import Finding, Outcome, failed, passed, undecided
from shared.core.config import ConfigurationError, GatewaySettings, Settings

MARKS: Final[Mapping[Outcome, tuple[str, str]]] = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "bold red"),
    Outcome.OPEN: ("–", "yellow"),
}
HIDDEN: Final = "***"
OUR_SECRETS: Final = frozenset(fresh_secrets())


def examine(*, now: datetime) -> list[Finding]:
    """Check everything, in the order in which an installation is set up."""
    found = _configuration()
    try:
        settings = Settings.read()
    except ConfigurationError:
        rest = ("Database", "Migrations", "Staff login", "Raffle", "PUBLIC_URL", "Meta")
        return found + [undecided(title, "cannot be seen without configuration") for title in rest]
    found += _installation(settings, now=now)
    return [_without_secrets(finding, settings) for finding in found]


def _configuration() -> list[Finding]:
    try:
        settings = GatewaySettings.read()
    except ConfigurationError as error:
        return [
            failed(name, problem, remedy=_how_to_set(name))
            for name, problem in error.problems.items()
        ]
    if settings.django_debug and settings.secure:
        remedy = "Take DJANGO_DEBUG out of .env: its pages show strangers the inside."
        return [failed("DJANGO_DEBUG", "is on where the public can come", remedy=remedy)]
    return [passed("Configuration", "every variable is there")]


def _how_to_set(name: str) -> str:
    if name in OUR_SECRETS:
        return "Run `uv run rafflebot secrets >> .env`, once."
    field = Settings.model_fields.get(name.lower())
    return f"In .env: {field.description}." if field else "See .env.example."


def _installation(settings: Settings, *, now: datetime) -> list[Finding]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from deploy import installation  # noqa: PLC0415 - models exist only after the set-up

    found = installation.examine(settings, now=now)
    found += asyncio.run(meta.examine(settings, now=now))
    if installation.is_here(settings.meta_graph_url):
        remedy = "Take META_GRAPH_URL out of .env and fill in what Meta gave you (section 7)."
        found.append(undecided("Meta", "is a stand-in on this machine", remedy=remedy))
    if next(finding for finding in found if finding.title == "Migrations").fine:
        found.append(installation.last_webhook(settings))
    return found


def _without_secrets(finding: Finding, settings: Settings) -> Finding:
    """Blot out every secret: what a database or Meta answered may quote one."""
    words, remedy = finding.words, finding.remedy
    for secret in _secrets(settings):
        words, remedy = words.replace(secret, HIDDEN), remedy.replace(secret, HIDDEN)
    return replace(finding, words=words, remedy=remedy)


def _secrets(settings: Settings) -> list[str]:
    kept = [
        settings.django_secret_key.get_secret_value(),
        settings.meta_verify_token.get_secret_value(),
        settings.meta_access_token.get_secret_value(),
        *settings.app_secrets,
        urlsplit(settings.database_url).password or "",
    ]
    return [secret for secret in kept if secret]


def next_step(findings: Sequence[Finding]) -> str:
    """Name what to do next: the first thing that is wrong, else the first that is missing."""
    for outcome in (Outcome.FAILED, Outcome.OPEN):
        for finding in findings:
            if finding.outcome is outcome and finding.remedy:
                return f"{finding.title}: {finding.remedy}"
    return "nothing is missing: write to the number and see it answer."


def as_json(findings: Sequence[Finding]) -> str:
    """Write the findings for a program."""
    checks: list[dict[str, Any]] = [asdict(finding) for finding in findings]
    healthy = exit_code(findings) == 0
    return json.dumps({"healthy": healthy, "checks": checks, "next": next_step(findings)}, indent=2)


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print the findings for a person: a table in a terminal, a line each elsewhere."""
    if console.is_terminal:
        console.print(_table(findings))
    else:
        _plainly(findings, console)
    console.print()
    console.print(Text.assemble(("Next step: ", "bold"), next_step(findings)))
    console.print(Text("The whole way: docs/going-live.md", "dim"))


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for no_wrap in (True, True, False):
        table.add_column(no_wrap=no_wrap)
    for finding in findings:
        mark, style = MARKS[finding.outcome]
        table.add_row(Text(mark, style), Text(finding.title, "bold"), Text(finding.words))
        if finding.remedy:
            table.add_row("", "", Text(f"→ {finding.remedy}", style))
    return table


def _plainly(findings: Sequence[Finding], console: Console) -> None:
    widest = max(len(finding.title) for finding in findings)
    for finding in findings:
        mark, _ = MARKS[finding.outcome]
        console.print(Text(f"{mark} {finding.title:<{widest}}  {finding.words}"))
        if finding.remedy:
            console.print(Text(f"  {'':<{widest}}  → {finding.remedy}"))


def exit_code(findings: Sequence[Finding]) -> int:
    """Give 0 only if nothing is wrong."""
    return int(any(finding.outcome is Outcome.FAILED for finding in findings))


def run(console: Console, *, machine: bool) -> int:
    """Check everything and say what was found.

    Args:
        console: where it is printed.
        machine: JSON instead of a table.

    Returns:
        The exit code.

    """
    findings = examine(now=datetime.now(tz=UTC))
    if machine:
        print(as_json(findings))
    else:
        show(findings, console)
    return exit_code(findings)
