"""Checks of the Meta setup: clock, access token, business numbers, webhook.

Sources: Meta's pages "Business phone numbers", "Subscribed apps" and "Webhooks overview" of the
WhatsApp Business Platform, and "App subscriptions" of the Graph API reference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import aiohttp
import httpx

from shared.core.config import Settings
from shared.whatsapp.errors import GraphError, GraphRefused
from shared.whatsapp.services.graph_transport import AiohttpTransport, GraphTransport
from shared.whatsapp.services.meta_client import MetaClient

CLOCK_TOLERANCE: Final = timedelta(seconds=30)
"""Allowed difference: deadlines and the 24-hour window compare Meta's clock with ours."""

REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""Seconds each request may take, while a person waits."""

INVALID_TOKEN_CODES: Final = frozenset({0, 102, 190})
CALLBACK_LEVELS: Final = ("phone_number", "whatsapp_business_account", "application")
"""Levels of callback addresses; a number's webhooks go to the first one that is set."""


class CheckStatus(StrEnum):
    """Status of a check; OPEN: not needed yet, or not visible from here."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True)
class CheckResult:
    """Result of one check: what it found and how to fix it."""

    title: str
    outcome: CheckStatus
    words: str
    remedy: str = ""

    @property
    def has_passed(self) -> bool:
        """Whether the check passed, so that checks which depend on it make sense."""
        return self.outcome is CheckStatus.PASSED


def report_passed(title: str, words: str) -> CheckResult:
    """Return the result of a check that passed."""
    return CheckResult(title, CheckStatus.PASSED, words)


def report_failed(title: str, words: str, *, remedy: str) -> CheckResult:
    """Return the result of a check that failed."""
    return CheckResult(title, CheckStatus.FAILED, words, remedy)


def report_open(title: str, words: str, *, remedy: str = "") -> CheckResult:
    """Return the result of a check that is not needed yet, or not possible."""
    return CheckResult(title, CheckStatus.OPEN, words, remedy)


async def check_meta_setup(
    settings: Settings,
    *,
    now: datetime,
    transport: httpx.AsyncBaseTransport | None = None,
    graph_transport: GraphTransport | None = None,
) -> list[CheckResult]:
    """Check everything that Meta shows, in the order in which it is set up.

    Args:
        settings: variables that only the gateway needs may be empty; their checks are then open.
        now: our clock, compared with Meta's.
        transport: replaces the network in tests.
        graph_transport: replaces it for what `MetaClient` asks.

    Returns:
        The results; an error of Meta's is a failed check and not raised.

    """
    async with httpx.AsyncClient(
        timeout=REQUEST_TIMEOUT_SECONDS, trust_env=False, transport=transport
    ) as http:
        clock = await _check_clock(http, settings, now=now)
        token = settings.meta_access_token.get_secret_value()
        if clock.title == "Graph API" or not token:
            return [clock, report_open("Meta", "It cannot be asked without an answer and a token.")]
        client = MetaClient(
            base_url=settings.meta_graph_url,
            version=settings.meta_graph_version,
            token=token,
            transport=graph_transport
            or AiohttpTransport(timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS)),
        )
        try:
            return [clock, *await _check_with_token(client, http, settings)]
        except (GraphError, httpx.HTTPError) as error:
            return [clock, _report_meta_error("Access token", error)]
        finally:
            await client.aclose()


async def _check_clock(
    http: httpx.AsyncClient, settings: Settings, *, now: datetime
) -> CheckResult:
    try:
        answer = await http.get(f"{settings.meta_graph_url}/{settings.meta_graph_version}/")
    except httpx.HTTPError as error:
        return report_failed(
            "Graph API",
            f"{settings.meta_graph_url} is out of reach: {type(error).__name__}. "
            "Nothing can be sent.",
            remedy="Look at the network, the firewall and META_GRAPH_URL.",
        )
    if "date" not in answer.headers:
        return report_open("Clock", "Meta did not say what time it is.")
    off = abs(parsedate_to_datetime(answer.headers["date"]) - now)
    if off > CLOCK_TOLERANCE:
        return report_failed(
            "Clock",
            f"It is {off.total_seconds():.0f} s away from Meta's, so deadlines are wrong.",
            remedy="Let the system keep the time: `timedatectl set-ntp true`.",
        )
    return report_passed("Clock", "It agrees with Meta's.")


async def _check_with_token(
    client: MetaClient, http: httpx.AsyncClient, settings: Settings
) -> list[CheckResult]:
    found = []
    for number in settings.phone_number_ids:
        found += await _check_business_number(client, number)
    found += await _check_account(client, http, settings)
    return found


async def _check_business_number(client: MetaClient, number: str) -> list[CheckResult]:
    """Check one business number.

    Raises:
        GraphError: the token is not valid, or Meta did not answer.

    """
    title = f"Number {number}"
    try:
        about = await client.get_phone_number(number)
    except GraphRefused as refusal:
        if refusal.code in INVALID_TOKEN_CODES:
            raise
        return [_report_meta_error(title, refusal)]
    name = f"{about.get('display_phone_number', '')} {about.get('verified_name', '')}".strip()
    status = about.get("status", "CONNECTED")
    if status != "CONNECTED":
        remedy = "Register the number: WhatsApp Manager, Phone numbers (docs/going-live.md, 7)."
        return [
            report_failed(
                title, f"{name} is {status}, not CONNECTED, and cannot send.", remedy=remedy
            )
        ]
    return [report_passed(title, f"{name} is connected."), _check_callback(number, about)]


def _check_callback(number: str, about: Mapping[str, Any]) -> CheckResult:
    title = f"Callback {number}"
    configured = about.get("webhook_configuration") or {}
    level = next((level for level in CALLBACK_LEVELS if configured.get(level)), None)
    if level is None:
        remedy = "WhatsApp, Configuration: enter https://…/webhook and META_VERIFY_TOKEN, verify."
        return report_open(
            title, "Meta shows no callback address, so it sends messages nowhere.", remedy=remedy
        )
    address = str(configured[level])
    if not address.endswith(("/webhook", "/webhook/")):
        remedy = f"Point it to https://…/webhook; it is set on the level {level}."
        return report_failed(title, f"Webhooks go to {address}, not to the gateway.", remedy=remedy)
    return report_passed(title, f"Webhooks go to {address}.")


async def _check_account(
    client: MetaClient, http: httpx.AsyncClient, settings: Settings
) -> list[CheckResult]:
    title = "WhatsApp account"
    if not settings.meta_waba_id:
        remedy = "Set META_WABA_ID to the WhatsApp Business Account ID (WhatsApp, API Setup)."
        return [report_open(title, "It cannot be asked without META_WABA_ID.", remedy=remedy)]
    try:
        apps = await client.list_subscribed_apps(settings.meta_waba_id)
        numbers = {
            str(each.get("id"))
            for each in await client.list_waba_phone_numbers(settings.meta_waba_id)
        }
    except GraphRefused as refusal:
        return [_report_meta_error(title, refusal)]
    if not apps:
        remedy = f"POST /{settings.meta_waba_id}/subscribed_apps with the token, or verify anew."
        return [report_failed(title, "No app is subscribed, so no message arrives.", remedy=remedy)]
    strangers = sorted(set(settings.phone_number_ids) - numbers)
    if strangers:
        remedy = "Correct META_WABA_ID or META_PHONE_NUMBER_ID."
        return [report_failed(title, f"It does not own {', '.join(strangers)}.", remedy=remedy)]
    owners = (app.get("whatsapp_business_api_data") or {} for app in apps)
    ids = [str(owner["id"]) for owner in owners if "id" in owner]
    return [
        report_passed(title, "An app is subscribed."),
        await _check_webhook_fields(http, settings, app_ids=ids),
    ]


async def _check_webhook_fields(
    http: httpx.AsyncClient, settings: Settings, *, app_ids: Iterable[str]
) -> CheckResult:
    """Check the subscription to the field `messages`; Meta shows it only to the app's own token."""
    title = "App secret and field"
    for app_id in app_ids:
        for secret in settings.app_secrets:
            fields = await _fetch_subscribed_fields(http, settings, app_token=f"{app_id}|{secret}")
            if fields is None:
                continue
            if "messages" in fields:
                return report_passed(
                    title, "The secret is right, and the field messages is subscribed."
                )
            remedy = "Subscribe to the field messages: WhatsApp, Configuration, Webhook fields."
            return report_failed(
                title, "The field messages is not subscribed, so no message arrives.", remedy=remedy
            )
    return report_failed(
        title,
        "META_APP_SECRET is not that of an app subscribed to the account: with a wrong one every "
        "webhook is turned away.",
        remedy="Copy the secret anew: App settings, Basic.",
    )


async def _fetch_subscribed_fields(
    http: httpx.AsyncClient, settings: Settings, *, app_token: str
) -> set[str] | None:
    """Return the subscribed webhook fields; None if Meta refuses the app's token."""
    app_id = app_token.partition("|")[0]
    answer = await http.get(
        f"{settings.meta_graph_url}/{settings.meta_graph_version}/{app_id}/subscriptions",
        headers={"Authorization": f"Bearer {app_token}"},
    )
    if not answer.is_success:
        return None
    subscriptions = answer.json().get("data", [])
    return {
        str(field.get("name"))
        for each in subscriptions
        if each.get("object") == "whatsapp_business_account"
        for field in each.get("fields", [])
    }


def _report_meta_error(title: str, error: GraphError | httpx.HTTPError) -> CheckResult:
    if not isinstance(error, GraphRefused):
        said = f"Meta did not answer: {f'{type(error).__name__} {error}'.strip().rstrip('.')}."
        return report_failed(title, said, remedy="Try again in a minute.")
    subcode = "" if error.subcode is None else f", subcode {error.subcode}"
    said = f"Meta refuses (code {error.code}{subcode}): {error.details.rstrip('.')}."
    return report_failed(title, said, remedy=error.judgement.explanation)
