"""Tests of logging: phone numbers are always masked, and rows of the database never quoted."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from django.db import IntegrityError, OperationalError
from psycopg.errors import NotNullViolation

from shared.core import logs


@contextmanager
def log_as_json() -> Iterator[None]:
    """Log as JSON while the block runs, and restore the tests' logging afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure_logging(style="json", level="INFO")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


class TestMaskPhone:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("+15550100123", "***23"),
            ("call 15550100123 now", "call ***23 now"),
            ("order 12345", "order 12345"),
            ("wamid.HBgL15550100123X", "wamid.HBgL15550100123X"),
        ],
    )
    def test_leaves_two_digits(self, text: str, masked: str) -> None:
        assert logs.mask_phone_numbers(text) == masked


class TestMaskQueries:
    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("GET /api/orders?token=s3cret&x=1 HTTP/1.1", "GET /api/orders?*** HTTP/1.1"),
            ("<WSGIRequest: GET '/a/?q=15550100123'>", "<WSGIRequest: GET '/a/?***'>"),
            ("https://n8n.example/hook?key=s3cret", "https://n8n.example/hook?***"),
            ("is it so? yes=no", "is it so? yes=no"),
        ],
    )
    def test_leaves_the_path(self, text: str, masked: str) -> None:
        assert logs.mask_queries(text) == masked


class TestConfigure:
    def test_masks_every_value_and_keeps_the_correlation_id(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with log_as_json(), structlog.contextvars.bound_contextvars(correlation_id="c0ffee"):
            logs.get_logger("tests.masking").warning(
                "sent", to="15550100123", phone_number_id="106540352242922"
            )
        line = json.loads(capsys.readouterr().err)

        assert line["to"] == "***23"
        assert line["phone_number_id"] == "106540352242922"
        assert (line["event"], line["correlation_id"], line["level"]) == (
            "sent",
            "c0ffee",
            "warning",
        )

    def test_speaks_for_libraries_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        with log_as_json():
            logging.getLogger("somebody.else").warning("buyer %s", "+15550100123")
        line = json.loads(capsys.readouterr().err)

        assert line["event"] == "buyer ***23"

    def test_masks_what_an_exception_quotes(self, capsys: pytest.CaptureFixture[str]) -> None:
        try:
            int("no contact 15550100123")
        except ValueError:
            with log_as_json():
                logs.get_logger("tests.masking").exception("failed")

        assert "15550100123" not in capsys.readouterr().err

    def test_hides_the_rows_that_database_errors_quote(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        quoted = "null value\nDETAIL:  Failing row contains (my secret)."
        refusal, outage = IntegrityError(quoted), OperationalError("server is starting up")
        refusal.__cause__ = NotNullViolation(quoted)
        with log_as_json():
            for error in (refusal, outage):
                logs.get_logger("tests.masking").error("failed", exc_info=error)
        refused, unavailable = map(json.loads, capsys.readouterr().err.splitlines())

        assert "my secret" not in refused["exception"]
        assert "psycopg.errors.NotNullViolation: (" in refused["exception"]
        assert "django.db.utils.IntegrityError: (" in refused["exception"]
        assert "server is starting up" in unavailable["exception"]
