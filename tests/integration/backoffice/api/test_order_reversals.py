"""Tests of undone confirmations and refunds over the API, first and repeated."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from shared.core.enums import OrderStatus, RaffleStatus, Scope, Verdict
from shared.raffles.models import Order, Raffle
from shared.use_cases import payments
from tests import builders
from tests.builders import NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import (
    ApiProgram,
    list_message_keys,
    parse_refusal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

N8N = {"kind": "token", "label": "n8n"}
BOSS = {"kind": "token", "label": "boss"}


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram()


@pytest.fixture
def admin(db: None) -> ApiProgram:
    return ApiProgram(sample_data.create_api_token("boss", scope=Scope.ADMIN))


@pytest.fixture
def paid_order(api: ApiProgram) -> Order:
    """Create an order whose proof was accepted."""
    order = sample_data.place_order(numbers=[7, 13])
    sample_data.receive_proof(order)
    assert api.decide(order, "confirm-payment").status_code == 200
    return order


def load_confirmation_id(api: ApiProgram, order: Order) -> Any:
    return api.get(f"/api/orders/{order.pk}").json()["confirmation_id"]


def undo(api: ApiProgram, order: Order, **fields: Any) -> Any:
    body = {"confirmation_id": load_confirmation_id(api, order), "reason": "another buyer's"}
    return api.decide(order, "undo-confirmation", **body | fields)


def refund(api: ApiProgram, order: Order, **fields: Any) -> Any:
    body = {"confirmation_id": load_confirmation_id(api, order), "note": "sent back"}
    return api.decide(order, "refund", **body | fields)


class TestUndoConfirmation:
    def test_puts_the_order_under_review_again_and_tells_the_buyer_once(
        self, api: ApiProgram, paid_order: Order
    ) -> None:
        confirmation_id = load_confirmation_id(api, paid_order)

        answers = [undo(api, paid_order, confirmation_id=confirmation_id) for _ in range(2)]

        first, again = (answer.json() for answer in answers)
        assert [answer.status_code for answer in answers] == [200, 200]
        assert first.pop("undone_at").endswith("+00:00")
        assert first == {
            "id": paid_order.pk,
            "code": paid_order.code,
            "status": "PENDING_PAYMENT",
            "numbers": ["007", "013"],
            "already_undone": False,
            "undone_by": N8N,
            "buyer_notified": "queued",
        }
        assert again.items() >= (first | {"already_undone": True}).items()
        assert list_message_keys(paid_order).count("unconfirmed") == 1
        assert [proof.verdict for proof in paid_order.proofs.all()] == [Verdict.PENDING]

    def test_a_token_cannot_confirm_again_and_a_person_can(
        self, api: ApiProgram, paid_order: Order
    ) -> None:
        undo(api, paid_order)

        answers = [api.decide(paid_order, "confirm-payment") for _ in range(2)]

        for answer in answers:
            assert parse_refusal(answer) == (409, "confirmation_undone")
            assert (answer.json()["detail"]["by"], answer.json()["retryable"]) == ("n8n", False)
        payments.confirm_payment(paid_order.pk, by=builders.build_staff_actor(), now=NOON)
        assert api.decide(paid_order, "confirm-payment").json()["already_confirmed"] is True

    def test_a_repeat_leaves_a_later_confirmation_alone(
        self, api: ApiProgram, paid_order: Order
    ) -> None:
        first_id = load_confirmation_id(api, paid_order)
        undo(api, paid_order)
        payments.confirm_payment(paid_order.pk, by=builders.build_staff_actor(), now=NOON)
        second_id = load_confirmation_id(api, paid_order)

        again = undo(api, paid_order, confirmation_id=first_id).json()
        unknown = undo(api, paid_order, confirmation_id=second_id + 1)

        assert second_id > first_id
        assert (again["status"], again["already_undone"]) == ("PAID", True)
        assert parse_refusal(unknown) == (409, "confirmation_replaced")
        assert unknown.json()["detail"] == {"confirmation_id": second_id}

    def test_a_decision_about_a_late_payment_does_not_hold_after_it(self, api: ApiProgram) -> None:
        late = sample_data.place_order(numbers=[7, 13])
        sample_data.expire_order(late)
        sample_data.place_order(late.raffle, numbers=[7])
        assert api.decide(late, "confirm-payment").status_code == 409
        replacement = {"decision": "replace", "numbers": [21, 22]}
        assert api.decide(late, "resolve-late", **replacement).status_code == 200

        undo(api, late)

        answer = api.decide(late, "resolve-late", **replacement)
        assert parse_refusal(answer) == (409, "decision_made")

    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"status": RaffleStatus.SEALED}, "raffle_sealed"),
            ({"status": RaffleStatus.DRAWN}, "raffle_drawn"),
            ({"status": RaffleStatus.CANCELLED}, "raffle_called_off"),
            ({"draw_at": NOON}, "draw_time_reached"),
        ],
    )
    def test_is_refused_once_it_is_too_late(
        self, api: ApiProgram, paid_order: Order, terms: dict[str, Any], code: str
    ) -> None:
        Raffle.objects.update(**terms)

        assert parse_refusal(undo(api, paid_order)) == (409, code)
        assert Order.objects.get(pk=paid_order.pk).status == OrderStatus.PAID

    def test_is_refused_for_what_is_not_paid_or_was_sold_for_cash(self, api: ApiProgram) -> None:
        pending = sample_data.place_order(numbers=[1])
        cash = sample_data.place_order(pending.raffle, numbers=[2])
        payments.confirm_payment(cash.pk, by=builders.build_staff_actor(), now=NOON)
        Order.objects.filter(pk=cash.pk).update(contact=None)

        assert parse_refusal(undo(api, pending, confirmation_id=1)) == (409, "order_not_paid")
        assert parse_refusal(undo(api, cash)) == (409, "cash_sale_not_undone")


class TestRefund:
    def test_cancels_the_order_and_tells_the_buyer_once(
        self, admin: ApiProgram, paid_order: Order
    ) -> None:
        confirmation_id = load_confirmation_id(admin, paid_order)

        answers = [
            refund(admin, paid_order, confirmation_id=confirmation_id, reference="SPEI 90412")
            for _ in range(2)
        ]

        first, again = (answer.json() for answer in answers)
        assert [answer.status_code for answer in answers] == [200, 200]
        at = first["refunded_at"]
        assert first == {
            "id": paid_order.pk,
            "code": paid_order.code,
            "status": "CANCELLED",
            "numbers": ["007", "013"],
            "already_refunded": False,
            "refund": {
                "amount": "10.00",
                "currency": "USD",
                "reference": "SPEI 90412",
                "at": at,
            },
            "refunded_by": BOSS,
            "refunded_at": at,
            "buyer_notified": "queued",
        }
        assert again == first | {"already_refunded": True}
        assert list_message_keys(paid_order).count("refunded") == 1
        order = admin.get(f"/api/orders/{paid_order.pk}").json()
        assert (order["confirmation_id"], order["refund"]) == (None, first["refund"])

    def test_after_the_sealing_it_is_noted_and_the_order_stays_paid(
        self, admin: ApiProgram, paid_order: Order
    ) -> None:
        Raffle.objects.update(status=RaffleStatus.SEALED)

        body = refund(admin, paid_order).json()

        assert (body["status"], body["refund"]["amount"]) == ("PAID", "10.00")
        assert load_confirmation_id(admin, paid_order) is None

    def test_a_refunded_order_is_neither_confirmed_nor_undone_nor_cancelled_again(
        self, admin: ApiProgram, paid_order: Order
    ) -> None:
        confirmation_id = load_confirmation_id(admin, paid_order)
        refund(admin, paid_order)

        confirmed = admin.decide(paid_order, "confirm-payment")
        undone = undo(admin, paid_order, confirmation_id=confirmation_id)
        cancelled = admin.decide(paid_order, "cancel")

        assert parse_refusal(confirmed) == (409, "order_refunded")
        assert parse_refusal(undone) == (409, "order_refunded")
        assert parse_refusal(cancelled) == (409, "order_ended")
        assert cancelled.json()["detail"]["by"] == "boss"

    def test_an_undone_confirmation_is_not_refunded(
        self, admin: ApiProgram, paid_order: Order
    ) -> None:
        confirmation_id = load_confirmation_id(admin, paid_order)
        undo(admin, paid_order)

        answer = refund(admin, paid_order, confirmation_id=confirmation_id)

        assert parse_refusal(answer) == (409, "order_not_paid")

    def test_needs_the_scope_admin(self, api: ApiProgram, paid_order: Order) -> None:
        assert parse_refusal(refund(api, paid_order)) == (403, "scope_missing")

    def test_staff_without_all_rights_refund_on_the_pages_alone(self, paid_order: Order) -> None:
        seller = User.objects.create_user("sol", is_staff=True)
        wanted = ["view_order", "change_order", "refund_order"]
        seller.user_permissions.set(Permission.objects.filter(codename__in=wanted))
        client = Client()
        client.force_login(seller)

        answer = client.post(
            f"/api/orders/{paid_order.pk}/refund", {"confirmation_id": 1, "note": "sent back"}
        )

        assert parse_refusal(answer) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("undo-confirmation", {"reason": "why"}, "confirmation_id"),
        ("undo-confirmation", {"confirmation_id": None, "reason": "why"}, "confirmation_id"),
        ("undo-confirmation", {"confirmation_id": 0, "reason": "why"}, "confirmation_id"),
        ("undo-confirmation", {"confirmation_id": 1}, "reason"),
        ("undo-confirmation", {"confirmation_id": 1, "reason": " "}, "reason"),
        ("undo-confirmation", {"confirmation_id": 1, "reason": "x" * 501}, "reason"),
        ("undo-confirmation", {"confirmation_id": 1, "reason": "why", "note": ""}, "note"),
        ("refund", {"note": "sent back"}, "confirmation_id"),
        ("refund", {"confirmation_id": 1}, "note"),
        ("refund", {"confirmation_id": 1, "note": ""}, "note"),
        ("refund", {"confirmation_id": 1, "note": "x", "reference": "x" * 101}, "reference"),
    ],
)
def test_a_malformed_body_names_the_field_and_changes_nothing(
    admin: ApiProgram, paid_order: Order, what: str, body: dict[str, Any], field: str
) -> None:
    answer = admin.decide(paid_order, what, **body)

    assert parse_refusal(answer) == (400, "malformed")
    assert field in answer.json()["detail"]
    assert Order.objects.get(pk=paid_order.pk).status == OrderStatus.PAID
