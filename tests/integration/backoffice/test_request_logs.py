"""Tests of what is logged about a request that fails: path and ids on one line, no query."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.integration.backoffice.pages import log_in_reviewer
from tests.unit.core.test_logs import log_as_json

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

SECRET_QUERY = "token=s3cret_token&signature=s3cret_sig&q=15550100123&plain"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/orders", {}, 401),
        ("/api/nothing/here", {}, 404),
        ("/api/proofs/1/file", {}, 400),
        ("/admin/queue/7/", {}, 404),
        ("/admin/nothing%0Ahere/", {}, 404),
        ("/admin/auth/user/", {}, 403),
        ("/admin/", {"host": "evil.example"}, 400),
        ("/api/orders", {"host": "evil.example"}, 400),
        ("/admin/", {"host": "ev il\nx"}, 400),
    ],
)
def test_a_refused_request_is_one_line_without_its_query(
    path: str, headers: dict[str, str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = log_in_reviewer() if path.startswith("/admin/") else Client()

    with log_as_json():
        answer = browser.get(f"{path}?{SECRET_QUERY}", headers=headers)
    lines = capsys.readouterr().err.splitlines()

    assert answer.status_code == status
    [line] = [json.loads(line) for line in lines]
    assert line["level"] == "warning"
    assert line["path"] == path.replace("%0A", "\\n")
    assert "exception" not in line
    assert_has_no_secret(lines)


def test_a_server_error_keeps_its_traceback_and_loses_its_query(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.db.connection.cursor", fail)
    browser = Client(raise_request_exception=False)

    with log_as_json():
        answer = browser.get(f"/api/orders?{SECRET_QUERY}", headers={"Authorization": "Bearer x"})
    lines = capsys.readouterr().err.splitlines()

    assert answer.status_code == 500
    events = [json.loads(line) for line in lines]
    assert (events[-1]["level"], events[-1]["path"]) == ("error", "/api/orders")
    assert any("RuntimeError" in event.get("exception", "") for event in events)
    assert_has_no_secret(lines)


def fail(*_: Any, **__: Any) -> None:
    """Fail as nothing expects, and quote a URL."""
    raise RuntimeError(f"broken while asking /api/orders?{SECRET_QUERY}")


def assert_has_no_secret(lines: list[str]) -> None:
    """Fail if a line has any part of the query."""
    assert not [line for line in lines if "s3cret" in line or "0123" in line or "plain" in line]
