"""Tests of repeated API requests with an `Idempotency-Key`."""

from datetime import timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from backoffice.api.idempotency import request_claims
from backoffice.api.idempotency.request_claims import (
    IdempotencyKeyReused,
    KeyedRequest,
    RequestClaim,
    RequestInProgress,
    StoredResponse,
)
from backoffice.api.models import ApiToken, IdempotentRequest
from shared.core.enums import OrderAction, OrderStatus, Scope
from shared.raffles.models import Order
from shared.whatsapp.models import OutboundMessage
from tests.builders import NOON
from tests.integration.backoffice import sample_data
from tests.integration.concurrency import run_at_once

pytestmark = pytest.mark.django_db

DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)
ORDERS: Final = "/api/orders"


class KeyedProgram:
    """A program that sends a key with each request."""

    def __init__(self, token: str = "") -> None:
        token = token or sample_data.create_api_token()
        headers = {"Authorization": f"Bearer {token}"}
        self.client = Client(headers=headers, raise_request_exception=False)

    def sends(self, path: str, body: str = "{}", *, key: str | None = "k1", **more: Any) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        kind = more.pop("content_type", "application/json")
        return self.client.post(path, body, content_type=kind, headers=headers, **more)

    def confirms(self, order: Order, body: str = "{}", *, key: str | None = "k1") -> Any:
        return self.sends(f"{ORDERS}/{order.pk}/confirm-payment", body, key=key)


@pytest.fixture
def program(db: None) -> KeyedProgram:
    return KeyedProgram()


def build_keyed_request(fingerprint: str = "f" * 64, *, key: str = "k1") -> KeyedRequest:
    owner = {"token_id": ApiToken.objects.get().pk}
    return KeyedRequest(owner, key, "POST", f"{ORDERS}/1/cancel", fingerprint)


def count_paid_messages() -> int:
    return OutboundMessage.objects.filter(key="paid").count()


class TestARepeat:
    def test_is_given_the_same_answer_byte_by_byte_and_says_so(self, program: KeyedProgram) -> None:
        order = sample_data.place_order()
        first = program.confirms(order)

        again = program.confirms(order)

        assert (again.status_code, again.content) == (200, first.content)
        assert again.json()["already_confirmed"] is False
        assert again["Content-Type"] == first["Content-Type"] == "application/json"
        assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
        assert count_paid_messages() == 1

    @pytest.mark.same_everywhere
    def test_with_another_key_or_none_says_that_it_was_done_before(
        self, program: KeyedProgram
    ) -> None:
        order = sample_data.place_order()
        program.confirms(order)

        for key in ("k2", None):
            again = program.confirms(order, key=key)
            assert (again.status_code, again.json()["already_confirmed"]) == (200, True)
            assert "Idempotent-Replayed" not in again

    @pytest.mark.same_everywhere
    def test_of_a_refusal_is_refused_alike_though_it_could_be_done_by_now(
        self, program: KeyedProgram
    ) -> None:
        hold = sample_data.hold_numbers(sample_data.place_order().raffle, numbers=[9])
        refused = program.confirms(hold)
        Order.objects.filter(pk=hold.pk).update(status=OrderStatus.PENDING_PAYMENT, placed_at=NOON)

        again = program.confirms(hold)

        assert (refused.status_code, again.status_code) == (409, 409)
        assert again.content == refused.content
        assert again["Idempotent-Replayed"] == "true"

    @pytest.mark.same_everywhere
    def test_has_a_key_for_itself_in_each_caller(self, program: KeyedProgram) -> None:
        first, second = sample_data.place_order(), sample_data.place_order()
        other, browser = KeyedProgram(sample_data.create_api_token("other")), Client()
        browser.force_login(User.objects.create_superuser("olga"))
        program.confirms(first)

        answers = [other.confirms(second)]
        for _ in range(2):
            address = f"{ORDERS}/{first.pk}/confirm-payment"
            answers.append(browser.post(address, headers={"Idempotency-Key": "k1"}))

        assert [answer.status_code for answer in answers] == [200] * 3
        assert [answer.get("Idempotent-Replayed") for answer in answers] == [None, None, "true"]

    @pytest.mark.same_everywhere
    def test_may_have_a_slash_at_the_end_and_come_as_a_form(self, program: KeyedProgram) -> None:
        order = sample_data.place_order()
        address = f"{ORDERS}/{order.code}/cancel"
        form = "multipart/form-data; boundary=x"
        body = '--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\nsold\r\n--x--\r\n'

        answers = [program.sends(address + end, body, content_type=form) for end in ("", "/")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[1]["Idempotent-Replayed"] == "true"
        assert order.events.get(action=OrderAction.CANCELLED).reason == "sold"


@pytest.mark.same_everywhere
class TestAnotherRequest:
    @pytest.mark.parametrize("change", ["body", "path", "order", "query"])
    def test_with_the_same_key_is_422_and_does_nothing(
        self, program: KeyedProgram, change: str
    ) -> None:
        first, second = sample_data.place_order(), sample_data.place_order()
        address = f"{ORDERS}/{first.pk}/confirm-payment"
        program.sends(address)
        changed = {
            "body": (address, '{"note": "x"}'),
            "path": (f"{ORDERS}/{first.pk}/cancel", "{}"),
            "order": (f"{ORDERS}/{second.pk}/confirm-payment", "{}"),
            "query": (address + "?dry=1", "{}"),
        }

        answer = program.sends(*changed[change])

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.json()["detail"] == {"method": "POST", "path": address}
        assert answer.json()["retryable"] is False
        second.refresh_from_db()
        assert second.status == OrderStatus.PENDING_PAYMENT

    @pytest.mark.parametrize("key", ["", "x" * 256, "ñ", "a\tb", "café"])
    def test_with_a_key_that_is_none_is_400(self, program: KeyedProgram, key: str) -> None:
        order = sample_data.place_order()

        answer = program.confirms(order, key=key)

        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")
        assert program.confirms(order, key="~ " * 127 + "!").status_code == 200

    def test_that_only_asks_needs_no_key_and_takes_any(self, program: KeyedProgram) -> None:
        answers = [
            program.client.get(path, headers={"Idempotency-Key": "k1"})
            for path in (ORDERS, f"{ORDERS}?status=PAID")
        ]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert not IdempotentRequest.objects.exists()


class TestWhatIsNotKept:
    @pytest.mark.same_everywhere
    @pytest.mark.parametrize("token", ["nonsense", "looker"])
    def test_is_said_to_callers_who_may_not(self, token: str) -> None:
        order = sample_data.place_order()
        if token == "looker":
            token = sample_data.create_api_token("looker", scope=Scope.READ)
        refused = KeyedProgram(token).confirms(order)

        assert refused.status_code in {401, 403}
        assert not IdempotentRequest.objects.exists()

    def test_is_a_fault_or_whatever_may_be_sent_again(self, program: KeyedProgram) -> None:
        sample_data.place_order()
        claimed = request_claims.claim_request(build_keyed_request(), now=NOON)
        assert isinstance(claimed, RequestClaim)

        request_claims.release_claim(claimed)

        assert isinstance(
            request_claims.claim_request(build_keyed_request("other"), now=NOON), RequestClaim
        )


class TestTheLease:
    """Claims of a request over time; `store_response` needs the current lease."""

    def test_keeps_others_out_until_it_ends(self, program: KeyedProgram) -> None:
        begun = request_claims.claim_request(build_keyed_request(), now=NOON)
        assert isinstance(begun, RequestClaim)
        with pytest.raises(RequestInProgress):
            request_claims.claim_request(build_keyed_request(), now=NOON + 59 * SECOND)

        second = request_claims.claim_request(build_keyed_request(), now=NOON + 60 * SECOND)

        assert isinstance(second, RequestClaim)
        # The response of the first claim comes after its lease ran out.
        request_claims.store_response(begun, status=200, body="late")
        request_claims.release_claim(begun)
        with pytest.raises(RequestInProgress):
            request_claims.claim_request(build_keyed_request(), now=NOON + 61 * SECOND)
        request_claims.store_response(second, status=200, body="{}")
        assert request_claims.claim_request(
            build_keyed_request(), now=NOON + 62 * SECOND
        ) == StoredResponse(200, "{}")

    def test_answers_409_over_http_while_it_runs_and_the_next_runs_after_a_crash(
        self, program: KeyedProgram
    ) -> None:
        order = sample_data.place_order()
        program.confirms(order)
        left_alone = {"status": None, "body": ""}
        until = timezone.now() + 30 * SECOND
        IdempotentRequest.objects.update(lease_until=until, **left_alone)

        running = program.confirms(order)

        assert (running.status_code, running.json()["code"]) == (409, "request_in_progress")
        assert (running["Retry-After"], running.json()["retryable"]) == ("1", True)
        IdempotentRequest.objects.update(lease_until=timezone.now() - SECOND)
        after = program.confirms(order)
        assert (after.status_code, after.json()["already_confirmed"]) == (200, True)
        assert program.confirms(order).content == after.content

    def test_lives_a_day_with_its_key(self, program: KeyedProgram) -> None:
        begun = request_claims.claim_request(build_keyed_request(), now=NOON)
        assert isinstance(begun, RequestClaim)
        request_claims.store_response(begun, status=200, body="{}")

        with pytest.raises(IdempotencyKeyReused):
            request_claims.claim_request(build_keyed_request("other"), now=NOON + DAY - SECOND)
        assert isinstance(
            request_claims.claim_request(build_keyed_request("other"), now=NOON + DAY), RequestClaim
        )

    def test_old_ones_are_cleared_away_a_few_at_a_time(
        self, program: KeyedProgram, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        token = ApiToken.objects.get()
        made = {"token": token, "method": "POST", "path": "/x", "fingerprint": "f"}
        IdempotentRequest.objects.bulk_create(
            IdempotentRequest(**made, key=f"old{n}", created_at=NOON) for n in range(70)
        )
        fresh = IdempotentRequest.objects.create(**made, key="new", created_at=NOON + SECOND)

        with django_assert_max_num_queries(5):
            assert (
                request_claims.delete_old_requests(now=NOON + DAY)
                == request_claims.OLD_REQUESTS_DELETED_PER_RUN
            )

        assert request_claims.delete_old_requests(now=NOON + DAY) == 20
        assert request_claims.delete_old_requests(now=NOON + DAY) == 0
        assert list(IdempotentRequest.objects.all()) == [fresh]

    def test_costs_a_repeat_no_more_than_looking(
        self, program: KeyedProgram, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        order = sample_data.place_order()
        program.confirms(order)

        with django_assert_max_num_queries(5):  # token, savepoint, insert, row, release
            program.confirms(order)


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_exactly_one_runs_and_the_other_waits_or_is_given_its_answer(self) -> None:
        token, order = sample_data.create_api_token(), sample_data.place_order()

        answers = run_at_once([lambda: KeyedProgram(token).confirms(order)] * 4)

        first = [answer for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len([a for a in first if "Idempotent-Replayed" not in a]) == 1
        assert {answer.content for answer in first} == {first[0].content}
        assert order.events.filter(action=OrderAction.PAID).count() == 1
        assert count_paid_messages() == 1

    def test_the_lease_is_had_by_one(self) -> None:
        sample_data.create_api_token()
        request = build_keyed_request()

        def begin() -> str:
            try:
                return type(request_claims.claim_request(request, now=NOON)).__name__
            except RequestInProgress:
                return "in progress"

        assert sorted(run_at_once([begin] * 6)) == ["RequestClaim", *["in progress"] * 5]
