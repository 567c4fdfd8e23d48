"""Tests of the one shape that all refusals and faults of the API have."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django import Settings

from backoffice.api.models import ApiToken
from shared.core.enums import OrderStatus
from tests.integration.backoffice import sample_data
from tests.integration.concurrency import lock_in_another_thread

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

SHAPE: Final = {"code", "message", "detail", "retryable"}
JSON: Final = "application/json"
ORDERS: Final = "/api/orders"
HUGE: Final = "x" * 2_700_000


@pytest.fixture
def client(db: None) -> Client:
    """Return a program with a token that gets answers instead of exceptions."""
    headers = {"Authorization": f"Bearer {sample_data.create_api_token()}"}
    return Client(headers=headers, raise_request_exception=False)


def assert_problem(answer: Any, status: int, code: str) -> None:
    """Check an answer's status, code and shape."""
    assert (answer.status_code, answer["Content-Type"]) == (status, JSON), answer.content
    body = answer.json()
    assert body.keys() >= SHAPE
    assert body["code"] == code
    assert body["message"]
    assert isinstance(body["retryable"], bool)


class TestRequests:
    @pytest.mark.parametrize(
        ("method", "path", "headers", "status", "code"),
        [
            ("GET", "/api/", {}, 404, "not_found"),
            ("POST", "/api/nothing/here", {}, 404, "not_found"),
            ("PROPFIND", "/api/nothing", {}, 404, "not_found"),
            ("GET", "/api/orders/1/confirm-payment", {}, 405, "method_not_allowed"),
            ("DELETE", ORDERS, {}, 405, "method_not_allowed"),
            ("PROPFIND", ORDERS, {}, 405, "method_not_allowed"),
            ("GET", ORDERS, {"Accept": "text/html"}, 406, "not_acceptable"),
            ("GET", ORDERS, {"Accept": "nonsense;;"}, 406, "not_acceptable"),
            ("GET", ORDERS, {"Host": "evil.example"}, 400, "host_not_served"),
            ("GET", "/api/", {"Host": "a b"}, 400, "host_not_served"),
            ("GET", f"{ORDERS}?status=%00", {}, 400, "malformed"),
            ("GET", f"{ORDERS}?status=%FF%ED%A0%80", {}, 400, "malformed"),
            ("GET", f"{ORDERS}?" + "a=1&" * 1001, {}, 400, "malformed"),
            ("GET", f"{ORDERS}/R-%ED%A0%80%FF", {}, 404, "order_not_found"),
        ],
    )
    def test_that_fit_nothing_are_answered_in_it(
        self, client: Client, method: str, path: str, headers: Any, status: int, code: str
    ) -> None:
        answer = client.generic(method, path, headers=headers)

        assert_problem(answer, status, code)
        if status == 405:
            assert answer["Allow"]

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            ("{", JSON, 400, "malformed"),
            ("", JSON, 200, ""),
            ("\ufeff{}", JSON, 200, ""),
            (b"\xff{}", JSON, 400, "malformed"),
            ('{"reason": "\\ud800"}', JSON, 400, "malformed"),
            ('{"reason": "a\\u0000b"}', JSON, 400, "malformed"),
            ('{"\\udfff": 1}', JSON, 400, "malformed"),
            ('{"x": [{"y": "\\u0000"}]}', JSON, 400, "malformed"),
            ('{"x": NaN}', JSON, 400, "malformed"),
            ('{"x": -Infinity}', JSON, 400, "malformed"),
            ('{"x": 1' + "0" * 5000 + "}", JSON, 400, "malformed"),
            ("[" * 100_000, JSON, 400, "malformed"),
            ("[]", JSON, 400, "malformed"),
            ("reason=a%00b", "application/x-www-form-urlencoded", 400, "malformed"),
            ("a=1&" * 1001, "application/x-www-form-urlencoded", 400, "malformed"),
            ("{}", "multipart/form-data", 400, "malformed"),
            ("{}", JSON + "; charset=utf-16", 415, "unsupported_media_type"),
            ("{}", JSON + "; charset=hex", 415, "unsupported_media_type"),
            ("{}", "text/plain", 415, "unsupported_media_type"),
            ("{}", ";;/", 415, "unsupported_media_type"),
            (HUGE, JSON, 413, "too_large"),
            (HUGE, "text/plain", 413, "too_large"),
            (HUGE, "application/x-www-form-urlencoded", 413, "too_large"),
        ],
    )
    def test_with_a_body_that_nobody_can_read_change_nothing(
        self, client: Client, body: Any, kind: str, status: int, code: str
    ) -> None:
        order = sample_data.place_order()
        address = f"{ORDERS}/{order.pk}/cancel"

        for headers in ({}, {"Idempotency-Key": "k1"}):
            answer = client.generic("POST", address, body, content_type=kind, headers=headers)

            order.refresh_from_db()
            if status == 200:
                assert (answer.status_code, order.status) == (200, OrderStatus.CANCELLED)
            else:
                assert_problem(answer, status, code)
                assert order.status == OrderStatus.PENDING_PAYMENT

    def test_say_which_value_is_wrong(self, client: Client) -> None:
        address = f"{ORDERS}/{sample_data.place_order().pk}/confirm-payment"

        answer = client.post(address, {"amount": "much"}, content_type=JSON)

        assert_problem(answer, 400, "malformed")
        assert answer.json()["message"].startswith("amount: ")


FAULTS: Final[dict[str, type[Exception]]] = {
    "busy": OperationalError,
    "broken": ZeroDivisionError,
    "forbidden": PermissionDenied,
}


def fault_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Raise the exception that a request's header names."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if fault := request.headers.get("X-Fault"):
            raise FAULTS[fault]
        return get_response(request)

    return middleware


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            ("busy", 503, "database_busy"),
            ("broken", 500, "internal_error"),
            ("forbidden", 403, "permission_denied"),
        ],
    )
    def test_in_front_of_the_views_are_told_to_programs_in_it_and_to_people_on_a_page(
        self, client: Client, settings: Settings, fault: str, status: int, code: str
    ) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.fault_middleware"]

        answer = client.get(ORDERS, headers={"X-Fault": fault})
        page = client.get("/admin/", headers={"X-Fault": fault})

        assert_problem(answer, status, code)
        assert answer.get("Retry-After") == ("1" if fault == "busy" else None)
        assert page["Content-Type"].startswith("text/html")


@contextmanager
def hold_write_lock() -> Iterator[None]:
    """Keep every other writer of the database waiting."""

    def write() -> None:
        list(ApiToken.objects.select_for_update())
        User.objects.create_user("writer")

    with lock_in_another_thread(write):
        yield


@pytest.mark.django_db(transaction=True)
class TestBusyDatabase:
    def test_keeps_nobody_from_looking(self) -> None:
        key = sample_data.create_api_token()

        with hold_write_lock():
            answer = Client(headers={"X-API-Key": key}).get(ORDERS)

        assert answer.status_code == 200
        assert ApiToken.objects.get().last_used_at is None
