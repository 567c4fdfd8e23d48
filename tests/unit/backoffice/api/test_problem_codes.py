"""Tests of the table of codes in docs/api.md: complete and with the right statuses."""

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
        "address_refused",  # a base class of two others
        "alarm_resolved",
        "another_person_needed",  # no prize is drawn again over the API
        "asked_just_now",
        "business_number_not_ours",
        "buyer_name_missing",
        "chain_broken",  # no raffle is sealed over the API
        "contact_already_joined",
        "contact_blocked",  # nobody is written to over the API
        "contact_joined",
        "contact_limit_reached",
        "cooling_down",
        "buyer_erased",  # nobody is erased over the API
        "buyer_has_open_order",
        "buyer_has_undecided_receipt",
        "buyer_in_undrawn_raffle",
        "buyer_is_owed_money",
        "buyer_message_under_way",
        "buyer_not_found",
        "decisions_open",
        "draw_date_passed",  # no draw is moved over the API
        "evidence_missing",  # the API answers `malformed` to values without a link
        "join_already_undone",
        "join_not_undoable",
        "message_answered",
        "message_not_failed",
        "message_text_missing",
        "message_text_too_long",
        "nothing_sold",
        "number_sends",
        "order_expired",
        "order_not_draft",
        "note_missing",  # the API answers `malformed` to a body without a note
        "order_wants_payment",
        "other_business_number",
        "person_needed",
        "prize_claimed",
        "prize_not_found",
        "orders_unsettled",  # no raffle is sealed over the API
        "proof_file_lost",
        "raffle_not_selling",
        "redraw_too_early",
        "rejection_note_missing",  # the API answers `malformed` to a body without a note
        "result_replaced",
        "result_void",
        "rules_frozen",  # no rules are written over the API
        "rules_missing",
        "same_contact",
        "second_person_needed",  # no value is confirmed over the API
        "service_window_closed",
        "source_date_named",
        "stub_not_sold",
        "token_name_taken",
        "too_few_sold",
        "value_voided",
        "winner_not_confirmed",
    }
)
"""Codes that only the chat, the back office or the command line use, and never the API."""
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
"""Statuses of codes that have no error class, or more than one status."""


def list_error_classes(base: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith(("backoffice.", "shared.")):
            yield kind
        yield from list_error_classes(kind)


def list_api_codes() -> dict[str, int]:
    """Return every code that the API may answer, with its status."""
    assert urls.urlpatterns  # loads all views, and with them all errors
    domain = {
        kind.code: problems.STATUS_PER_CODE.get(
            kind.code, 404 if kind.code.endswith("_not_found") else 409
        )
        for kind in list_error_classes()
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

    assert written == list_api_codes()


def test_no_code_of_the_api_is_written_but_there() -> None:
    inline = {
        code
        for module in (ROOT / "backoffice" / "api").rglob("*.py")
        for code in re.findall(r"(?:problem\(|\bcode=)\s*\"([a-z_]+)\"", module.read_text())
    }

    assert inline <= list_api_codes().keys()
