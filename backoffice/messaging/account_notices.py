"""Account notices of Meta in words: subject, details and payload."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from backoffice.ui import display
from shared.whatsapp.models import AccountNotice

_MAX_DETAILS: Final = 40
"""Maximum number of details on a notice's page."""

_FIELD_LABELS: Final = {
    "account_update": "Something changed about the account",
    "account_alerts": "Meta alerts about the account",
    "account_review_update": "Meta reviewed the account",
    "business_capability_update": "The account's limits changed",
    "business_status_update": "The business was verified or restricted",
    "message_template_status_update": "A template was reviewed",
    "message_template_quality_update": "A template's quality changed",
    "phone_number_name_update": "Meta decided about the display name",
    "phone_number_quality_update": "The number's quality or limit changed",
    "security": "Somebody changed the number's security settings",
    "user_id_update": "A buyer's user id changed",
    "messages": "Meta reports an error",
}


def describe_account_notice(notice: AccountNotice) -> str:
    """Return the subject of a notice."""
    return _FIELD_LABELS.get(notice.field, notice.field.replace("_", " ").capitalize() or "Notice")


def list_notice_details(notice: AccountNotice) -> Sequence[tuple[str, str]]:
    """Return the notice's details as names and values, up to `_MAX_DETAILS`."""
    value = notice.payload.get("value", notice.payload)
    return [pair for _, pair in zip(range(_MAX_DETAILS), _flatten_payload(value), strict=False)]


def format_notice_payload(notice: AccountNotice) -> str:
    """Return the notice's payload as JSON."""
    return display.format_json(notice.payload, sort_keys=True)


def _flatten_payload(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flatten_payload(
                    inner, f"{name} · {_format_key(key)}" if name else _format_key(key)
                )
        case list():
            for position, inner in enumerate(value, start=1):
                yield from _flatten_payload(inner, f"{name} {position}" if len(value) > 1 else name)
        case _:
            yield name or "Value", "–" if value is None else str(value)


def _format_key(key: str) -> str:
    return key.replace("_", " ").capitalize()
