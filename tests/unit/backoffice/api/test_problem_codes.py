"""The table of codes in docs/api.md: complete, and with the right statuses."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rest_framework import exceptions

from backoffice import urls
from backoffice.api import problems
from shared.core.errors import DomainError

ROOT: Final = Path(__file__).resolve().parents[4]
ROW: Final = re.compile(r"^\| (`[a-z_`, ]+`) \| (\d{3}) \|", re.MULTILINE)
ELSEWHERE: Final = frozenset(
    {
        "address_refused",  # a base of two others
        "alarm_resolved",
        "asked_just_now",
        "buyer_name_missing",
        "contact_limit_reached",
        "cooling_down",
        "message_answered",
        "message_not_failed",
        "number_sends",
        "order_expired",
        "order_not_draft",
        "order_wants_payment",
        "proof_settled",
        "raffle_not_selling",
        "rejection_note_missing",  # the body without a note is `malformed`
        "token_name_taken",
    }
)
"""Refusals of the chat, the desk and the command line, to which no address of the API leads."""
BY_CODE: Final = {
    "authentication_failed": 401,
    "csrf_failed": 403,
    "database_busy": 503,
    "host_not_served": 400,
    "internal_error": 500,
    "token_expired": 401,
    "token_revoked": 401,
    "too_large": 413,
}
"""Statuses of codes that belong to no error of their own, or not always."""


def kinds(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith(("backoffice.", "shared.")):
            yield kind
        yield from kinds(kind)


def codes_in_the_source() -> dict[str, int]:
    """Give every code that the API may answer, with its status."""
    assert urls.urlpatterns  # all views, and so all errors, are loaded
    domain = {
        kind.code: problems.STATUS_PER_CODE.get(
            kind.code, 404 if kind.code.endswith("_not_found") else 409
        )
        for kind in kinds()
    }
    framework = {
        problems.describe_error(kind()).body["code"]: kind.status_code
        for kind in exceptions.APIException.__subclasses__()
        if kind.__module__ == exceptions.__name__
        and kind.__name__ not in {"MethodNotAllowed", "UnsupportedMediaType"}
    }
    framework |= {"method_not_allowed": 405, "unsupported_media_type": 415}
    return {
        code: status
        for code, status in {**framework, **domain, **BY_CODE}.items()
        if code not in ELSEWHERE
    }


def test_the_docs_have_every_code_with_its_status() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    written = {
        code: int(status)
        for codes, status in ROW.findall(text)
        for code in re.findall(r"[a-z_]+", codes)
    }

    assert written == codes_in_the_source()


def test_no_code_of_the_api_is_written_but_there() -> None:
    inline = {
        code
        for module in (ROOT / "backoffice" / "api").rglob("*.py")
        for code in re.findall(r"(?:problem\(|\bcode=)\s*\"([a-z_]+)\"", module.read_text())
    }

    assert inline <= codes_in_the_source().keys()
