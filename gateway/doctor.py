"""What Meta says about this installation: the clock, the token, the numbers, the webhook.

Sources: Meta's pages "Business phone numbers", "Subscribed apps" and "Webhooks overview" of the
WhatsApp Business Platform, and "App subscriptions" of the Graph API reference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import httpx

from shared.core.config import Settings
from shared.whatsapp.services.meta_client import GraphError, GraphRefused, MetaClient

CLOCK_TOLERANCE: Final = timedelta(seconds=30)
"""Deadlines and the 24 h window compare Meta's clock with ours."""

TIMEOUT: Final = 10.0
"""Seconds each question may take; a person waits."""

TOKEN_CODES: Final = frozenset({0, 190})
OVERRIDES: Final = ("phone_number", "whatsapp_business_account", "application")
"""Where a number's webhooks go: the first of these addresses that is set."""


class Outcome(StrEnum):
    """What came of a check; OPEN: not needed yet, or it cannot be seen from here."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it."""

    title: str
    outcome: Outcome
    words: str
    remedy: str = ""

    @property
    def fine(self) -> bool:
        """Whether what builds upon it can be checked."""
        return self.outcome is Outcome.PASSED


def passed(title: str, words: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(title, Outcome.PASSED, words)


def failed(title: str, words: str, *, remedy: str) -> Finding:
    """Say that something is wrong."""
    return Finding(title, Outcome.FAILED, words, remedy)


def undecided(title: str, words: str, *, remedy: str = "") -> Finding:
    """Say that something is not needed yet, or cannot be seen."""
    return Finding(title, Outcome.OPEN, words, remedy)


async def examine(
    settings: Settings, *, now: datetime, transport: httpx.AsyncBaseTransport | None = None
) -> list[Finding]:
    """Ask Meta about everything it tells, in the order in which it is set up.

    Args:
        settings: may lack what only the gateway needs; then Meta is not asked about it.
        now: our own clock, compared with Meta's.
        transport: replaces the real one.

    """
    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, transport=transport) as http:
        clock = await _clock(http, settings, now=now)
        token = settings.meta_access_token.get_secret_value()
        if clock.title == "Graph API" or not token:
            return [clock, undecided("Meta", "cannot be asked without an answer and a token")]
        client = MetaClient(
            base_url=settings.meta_graph_url,
            version=settings.meta_graph_version,
            token=token,
            timeout=httpx.Timeout(TIMEOUT),
            transport=transport,
        )
        try:
            return [clock, *await _with_token(client, http, settings)]
        except (GraphError, httpx.HTTPError) as error:
            return [clock, _refusal("Access token", error)]
        finally:
            await client.aclose()


async def _clock(http: httpx.AsyncClient, settings: Settings, *, now: datetime) -> Finding:
    try:
        answer = await http.get(f"{settings.meta_graph_url}/{settings.meta_graph_version}/")
    except httpx.HTTPError as error:
        return failed(
            "Graph API",
            f"{settings.meta_graph_url} is out of reach: {type(error).__name__}",
            remedy="Look at the network, the firewall and META_GRAPH_URL.",
        )
    if "date" not in answer.headers:
        return undecided("Clock", "Meta did not say what time it is")
    off = abs(parsedate_to_datetime(answer.headers["date"]) - now)
    if off > CLOCK_TOLERANCE:
        return failed(
            "Clock",
            f"is {off.total_seconds():.0f} s away from Meta's",
            remedy="Let the system keep the time: `timedatectl set-ntp true`.",
        )
    return passed("Clock", "agrees with Meta's")


async def _with_token(
    client: MetaClient, http: httpx.AsyncClient, settings: Settings
) -> list[Finding]:
    found = []
    for number in settings.phone_number_ids:
        found += await _number(client, number)
    found += await _account(client, http, settings)
    return found


async def _number(client: MetaClient, number: str) -> list[Finding]:
    """Look at one business number.

    Raises:
        GraphError: the token is not good, so that nothing else can be asked.

    """
    title = f"Number {number}"
    try:
        about = await client.phone_number(number)
    except GraphRefused as refusal:
        if refusal.code in TOKEN_CODES:
            raise
        return [_refusal(title, refusal)]
    name = f"{about.get('display_phone_number', '')} {about.get('verified_name', '')}".strip()
    status = about.get("status", "CONNECTED")
    if status != "CONNECTED":
        remedy = "Register the number: WhatsApp Manager, Phone numbers (docs/going-live.md, 7)."
        return [failed(title, f"{name} is {status}, not CONNECTED", remedy=remedy)]
    return [passed(title, f"{name} is connected"), _callback(number, about)]


def _callback(number: str, about: Mapping[str, Any]) -> Finding:
    title = f"Callback {number}"
    configured = about.get("webhook_configuration") or {}
    level = next((level for level in OVERRIDES if configured.get(level)), None)
    if level is None:
        remedy = "WhatsApp, Configuration: enter https://…/webhook and META_VERIFY_TOKEN, verify."
        return undecided(title, "Meta shows no callback address", remedy=remedy)
    address = str(configured[level])
    if not address.endswith("/webhook"):
        remedy = f"Point it to https://…/webhook; it is set on the level {level}."
        return failed(title, f"webhooks go to {address}", remedy=remedy)
    return passed(title, f"webhooks go to {address}")


async def _account(
    client: MetaClient, http: httpx.AsyncClient, settings: Settings
) -> list[Finding]:
    title = "WhatsApp account"
    if not settings.meta_waba_id:
        remedy = "Set META_WABA_ID to the WhatsApp Business Account ID (WhatsApp, API Setup)."
        return [undecided(title, "cannot be asked without META_WABA_ID", remedy=remedy)]
    try:
        apps = await client.subscribed_apps(settings.meta_waba_id)
        numbers = {str(each.get("id")) for each in await client.waba_numbers(settings.meta_waba_id)}
    except GraphRefused as refusal:
        return [_refusal(title, refusal)]
    if not apps:
        remedy = f"POST /{settings.meta_waba_id}/subscribed_apps with the token, or verify anew."
        return [failed(title, "no app is subscribed: webhooks stay silent", remedy=remedy)]
    strangers = sorted(set(settings.phone_number_ids) - numbers)
    if strangers:
        remedy = "Correct META_WABA_ID or META_PHONE_NUMBER_ID."
        return [failed(title, f"does not own {', '.join(strangers)}", remedy=remedy)]
    owners = (app.get("whatsapp_business_api_data") or {} for app in apps)
    ids = [str(owner["id"]) for owner in owners if "id" in owner]
    return [passed(title, "an app is subscribed"), await _fields(http, settings, app_ids=ids)]


async def _fields(
    http: httpx.AsyncClient, settings: Settings, *, app_ids: Iterable[str]
) -> Finding:
    """See whether the field `messages` reaches us; only the app itself may ask, by its secret."""
    title = "App secret and field"
    for app_id in app_ids:
        for secret in settings.app_secrets:
            fields = await _subscribed_fields(http, settings, app_token=f"{app_id}|{secret}")
            if fields is None:
                continue
            if "messages" in fields:
                return passed(title, "the secret is right, the field messages is subscribed")
            remedy = "Subscribe to the field messages: WhatsApp, Configuration, Webhook fields."
            return failed(title, "the field messages is not subscribed", remedy=remedy)
    return failed(
        title,
        "META_APP_SECRET is not that of an app subscribed to the account",
        remedy="Copy the secret anew: App settings, Basic. A wrong one turns every webhook away.",
    )


async def _subscribed_fields(
    http: httpx.AsyncClient, settings: Settings, *, app_token: str
) -> set[str] | None:
    """Give the subscribed webhook fields; None where Meta does not take the app's token."""
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


def _refusal(title: str, error: GraphError | httpx.HTTPError) -> Finding:
    if not isinstance(error, GraphRefused):
        said = f"Meta did not answer: {type(error).__name__} {error}".strip()
        return failed(title, said, remedy="Try again in a minute.")
    said = f"Meta refuses (code {error.code}): {error.details}".strip()
    return failed(title, said, remedy=error.judgement.words)
