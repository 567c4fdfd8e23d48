"""Tests of the table that maps errors to API answers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from backoffice.api import problems
from shared.core.errors import DomainError


class TideTooHigh(DomainError):
    """The tide is too high."""

    code = "tide_too_high"
    retryable = True


CONTEXT = {"view": object()}


class TestAnswer:
    @pytest.mark.parametrize(
        ("raised", "status", "code", "retryable"),
        [
            (TideTooHigh(), 409, "tide_too_high", True),
            (exceptions.ParseError(), 400, "malformed", False),
            (exceptions.ValidationError({"a": ["b"]}), 400, "malformed", False),
            (exceptions.NotAuthenticated(), 401, "not_authenticated", False),
            (exceptions.AuthenticationFailed(), 401, "authentication_failed", False),
            (exceptions.PermissionDenied(), 403, "permission_denied", False),
            (PermissionDenied(), 403, "permission_denied", False),
            (exceptions.NotFound(), 404, "not_found", False),
            (Http404(), 404, "not_found", False),
            (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed", False),
            (exceptions.UnsupportedMediaType("x"), 415, "unsupported_media_type", False),
            (exceptions.Throttled(wait=7), 429, "throttled", True),
            (RequestDataTooBig(), 413, "too_large", False),
            (OperationalError(), 503, "database_busy", True),
            (InterfaceError(), 503, "database_busy", True),
            (ZeroDivisionError(), 500, "internal_error", True),
        ],
    )
    def test_has_one_shape_for_everything(
        self, raised: Exception, status: int, code: str, retryable: bool
    ) -> None:
        answer = problems.handle_api_exception(raised, CONTEXT)

        assert answer.status_code == status
        assert answer.data.keys() == {"code", "message", "detail", "retryable"}
        assert (answer.data["code"], answer.data["retryable"]) == (code, retryable)
        assert answer.data["message"]

    def test_tells_when_to_come_back(self) -> None:
        assert (
            problems.handle_api_exception(OperationalError(), CONTEXT).headers["Retry-After"] == "1"
        )
        assert (
            problems.handle_api_exception(exceptions.Throttled(wait=7), CONTEXT).headers[
                "Retry-After"
            ]
            == "7"
        )

    def test_says_nothing_of_what_broke_inside(self) -> None:
        answer = problems.handle_api_exception(ValueError("secret"), CONTEXT)

        assert "secret" not in str(answer.data)


class TestPlain:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (7, 7),
            (None, None),
            ("x", "x"),
            ((1, 2), [1, 2]),
            (Decimal("1.50"), "1.50"),
            (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
        ],
    )
    def test_makes_details_that_json_can_carry(self, value: Any, written: Any) -> None:
        assert problems.convert_to_json_value(value) == written
