"""`rafflebot doctor`: checks of an installation, and the next step on the way to live."""

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

from deploy.dotenv import generate_secrets
from gateway import doctor as gateway_doctor
from gateway.doctor import CheckResult, CheckStatus, report_failed, report_open, report_passed
from shared.core.config import ENV_FILE, MISSING_VARIABLE, GatewaySettings, Settings
from shared.core.config_errors import ConfigurationError
from shared.core.secret_files import name_file_variable
from shared.core.version import get_program_version

CHECK_STATUS_MARKS: Final[Mapping[CheckStatus, tuple[str, str]]] = {
    CheckStatus.PASSED: ("✓", "green"),
    CheckStatus.FAILED: ("✗", "bold red"),
    CheckStatus.OPEN: ("–", "yellow"),
}
NEED_OF_VARIABLES: Final[Mapping[str, str]] = {
    "DJANGO_SECRET_KEY": "It signs sessions; without it nothing starts.",
    "META_APP_SECRET": "Without it the gateway cannot tell Meta's webhooks from forged ones.",
    "META_VERIFY_TOKEN": "Without it Meta cannot verify the webhook, and sends none.",
    "META_ACCESS_TOKEN": "Without it the bot cannot send a message.",
    "META_PHONE_NUMBER_ID": "Without it the bot has no number to answer from.",
}
PLACES_OF_VARIABLES: Final[Mapping[str, str]] = {
    "META_APP_SECRET": "Meta shows it under App settings, Basic",
    "META_ACCESS_TOKEN": "a system user of your business makes it (docs/going-live.md, section 7)",
    "META_PHONE_NUMBER_ID": "Meta shows it under WhatsApp, API Setup",
}
REDACTED: Final = "***"
GENERATED_SECRET_NAMES: Final = frozenset(generate_secrets())


def run_checks(*, now: datetime) -> list[CheckResult]:
    """Run all checks, in the order in which an installation is set up."""
    found = [report_passed("Version", get_program_version()), *_check_configuration()]
    try:
        settings = Settings.from_environment()
    except ConfigurationError:
        rest = ("Database", "Migrations", "Staff login", "Raffle", "PUBLIC_URL", "Meta")
        return found + [
            report_open(title, "This cannot be checked before the configuration is complete.")
            for title in rest
        ]
    found += _check_with_django(settings, now=now)
    return [_redact_secrets(finding, settings) for finding in found]


def _check_configuration() -> list[CheckResult]:
    try:
        settings = GatewaySettings.from_environment()
    except ConfigurationError as error:
        return [
            report_failed(
                name, _describe_variable(name, problem), remedy=_explain_variable(name, problem)
            )
            for name, problem in error.problems.items()
        ]
    if settings.django_debug and settings.is_https:
        words = "Debug pages are on at a public address: they show strangers code and settings."
        return [report_failed("DJANGO_DEBUG", words, remedy="Take DJANGO_DEBUG out of .env.")]
    return [
        report_passed("Configuration", "Every variable is there."),
        *_check_former_secrets(settings),
    ]


def _check_former_secrets(settings: Settings) -> list[CheckResult]:
    """Return an open result while former secrets are accepted: whoever has one can use it."""
    former = []
    if settings.secret_key_fallbacks:
        former.append("DJANGO_SECRET_KEY_FALLBACKS a week after the change")
    if len(settings.app_secrets) > 1:
        former.append("the former app secret once Meta signs with the new one")
    if not former:
        return []
    words = "Former ones are still accepted, as during a change of secrets."
    remedy = f"Take out {' and '.join(former)} (docs/operations.md, Rotate keys)."
    return [report_open("Secrets", words, remedy=remedy)]


def _describe_variable(name: str, problem: str) -> str:
    """Return what is wrong with a variable, and what does not work because of that."""
    if name == ENV_FILE:
        return f"It {problem}."
    reason = NEED_OF_VARIABLES.get(name, "")
    if problem == MISSING_VARIABLE or not problem:
        return f"It is missing. {reason}".strip()
    return f"Its value cannot be used: {problem}. {reason}".strip()


def _explain_variable(name: str, problem: str) -> str:
    if name == ENV_FILE:
        return "Let its owner read it, and save it as text in UTF-8."
    if name_file_variable(name) in problem:
        return f"Correct {name}, or {name_file_variable(name)} and the file that it names."
    if name in GENERATED_SECRET_NAMES:
        return "Run `uv run rafflebot secrets >> .env`, once."
    if name in PLACES_OF_VARIABLES:
        return f"Write it into .env; {PLACES_OF_VARIABLES[name]}."
    field = Settings.model_fields.get(name.lower())
    return f"Correct it in .env: {field.description}." if field else "See .env.example."


def _check_with_django(settings: Settings, *, now: datetime) -> list[CheckResult]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from deploy import installation  # noqa: PLC0415 - models exist only after the set-up

    found = installation.check_installation(settings, now=now)
    found += asyncio.run(gateway_doctor.check_meta_setup(settings, now=now))
    if installation.is_loopback_address(settings.meta_graph_url):
        remedy = "Take META_GRAPH_URL out of .env and fill in what Meta gave you (section 7)."
        words = "It is a stand-in on this machine, so no real buyer is reached."
        found.append(report_open("Meta", words, remedy=remedy))
    if next(finding for finding in found if finding.title == "Migrations").has_passed:
        found.append(installation.check_last_webhook(settings, now=now))
        found.append(installation.check_staff_mail(settings))
        found += installation.check_retention(settings, now=now)
    return found


def _redact_secrets(finding: CheckResult, settings: Settings) -> CheckResult:
    """Replace every secret with asterisks: an error of the database or of Meta may quote one."""
    words, remedy = finding.words, finding.remedy
    for secret in _list_secrets(settings):
        words, remedy = words.replace(secret, REDACTED), remedy.replace(secret, REDACTED)
    return replace(finding, words=words, remedy=remedy)


def _list_secrets(settings: Settings) -> list[str]:
    kept = [
        settings.database_password.get_secret_value(),
        settings.django_secret_key.get_secret_value(),
        settings.meta_verify_token.get_secret_value(),
        settings.meta_access_token.get_secret_value(),
        settings.email_host_password.get_secret_value(),
        *settings.app_secrets,
        *settings.secret_key_fallbacks,
        urlsplit(settings.database_url).password or "",
    ]
    return [secret for secret in kept if secret]


def find_next_step(findings: Sequence[CheckResult]) -> str:
    """Return the next step: that of the first failed check, else of the first open one."""
    for outcome in (CheckStatus.FAILED, CheckStatus.OPEN):
        for finding in findings:
            if finding.outcome is outcome and finding.remedy:
                return f"{finding.title}: {finding.remedy}"
    return "nothing is missing: write to the number and see it answer."


def render_results_as_json(findings: Sequence[CheckResult]) -> str:
    """Return the results as JSON."""
    checks: list[dict[str, Any]] = [asdict(finding) for finding in findings]
    healthy = compute_exit_code(findings) == 0
    return json.dumps(
        {"healthy": healthy, "checks": checks, "next": find_next_step(findings)}, indent=2
    )


def print_results(findings: Sequence[CheckResult], console: Console) -> None:
    """Print the findings for a person: a table in a terminal, a line each elsewhere."""
    if console.is_terminal:
        console.print(_build_results_table(findings))
    else:
        _print_plain_results(findings, console)
    console.print()
    console.print(Text.assemble(("Next step: ", "bold"), find_next_step(findings)))
    console.print(Text("The whole way: docs/going-live.md", "dim"))


def _build_results_table(findings: Sequence[CheckResult]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for no_wrap in (True, True, False):
        table.add_column(no_wrap=no_wrap)
    for finding in findings:
        mark, style = CHECK_STATUS_MARKS[finding.outcome]
        table.add_row(Text(mark, style), Text(finding.title, "bold"), Text(finding.words))
        if finding.remedy:
            table.add_row("", "", Text(f"→ {finding.remedy}", style))
    return table


def _print_plain_results(findings: Sequence[CheckResult], console: Console) -> None:
    widest = max(len(finding.title) for finding in findings)
    for finding in findings:
        mark, _ = CHECK_STATUS_MARKS[finding.outcome]
        console.print(Text(f"{mark} {finding.title:<{widest}}  {finding.words}"))
        if finding.remedy:
            console.print(Text(f"  {'':<{widest}}  → {finding.remedy}"))


def compute_exit_code(findings: Sequence[CheckResult]) -> int:
    """Return 1 if any check failed, else 0."""
    return int(any(finding.outcome is CheckStatus.FAILED for finding in findings))


def run_doctor(console: Console, *, machine: bool) -> int:
    """Run all checks and print the results.

    Args:
        console: receives the table.
        machine: whether to print JSON on standard output instead.

    Returns:
        The exit code.

    """
    findings = run_checks(now=datetime.now(tz=UTC))
    if machine:
        print(render_results_as_json(findings))
    else:
        print_results(findings, console)
    return compute_exit_code(findings)
