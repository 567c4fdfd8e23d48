"""Tests of decisions about orders over the API, first and repeated."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.core.enums import OrderAction, OrderStatus, RaffleStatus, Verdict
from shared.raffles.models import Order, OrderEvent, Raffle
from tests import builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import (
    ApiProgram,
    create_late_order,
    list_message_keys,
    parse_refusal,
)
from tests.integration.backoffice.sample_data import expire_order

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

N8N = {"kind": "token", "label": "n8n"}


@pytest.fixture
def api(db: None) -> ApiProgram:
    return ApiProgram()


def load_reason(order: Order, action: OrderAction = OrderAction.PAID) -> str:
    return OrderEvent.objects.get(order=order, action=action).reason


def load_status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


class TestConfirmPayment:
    def test_sells_the_numbers_and_says_who_and_when(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])

        answer = api.decide(order, "confirm-payment")

        body = answer.json()
        assert answer.status_code == 200
        assert body.pop("confirmed_at").endswith("+00:00")
        assert body == {
            "id": order.pk,
            "code": order.code,
            "status": "PAID",
            "already_confirmed": False,
            "late": False,
            "numbers": ["007", "013"],
            "confirmed_by": N8N,
            "buyer_notified": "queued",
        }

    def test_a_repeat_changes_nothing_whatever_it_carries(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        first = api.decide(order, "confirm-payment").json()
        lines = order.events.count()

        for body in ({}, {"amount": "1.00", "proofs": [999], "reference": "another"}):
            again = api.decide(order, "confirm-payment", **body)
            assert again.status_code == 200
            assert again.json() == first | {"already_confirmed": True}

        assert list_message_keys(order) == ["paid"]
        assert order.events.count() == lines
        assert load_reason(order) == ""

    @pytest.mark.parametrize(
        ("spelling", "slash"), [("{id}", "/"), ("{code}", ""), ("{lower}", "/"), ("{bare}", "")]
    )
    def test_takes_an_id_or_a_code_with_or_without_a_slash(
        self, api: ApiProgram, spelling: str, slash: str
    ) -> None:
        order = sample_data.place_order()
        code = str(order.code)
        spelt = spelling.format(
            id=order.pk, code=code, lower=code.lower(), bare=code.removeprefix("R-")
        )

        answer = api.post(f"/api/orders/{spelt}/confirm-payment{slash}")

        assert (answer.status_code, answer.json()["id"]) == (200, order.pk)

    def test_writes_reference_and_note_into_the_history(self, api: ApiProgram) -> None:
        order = sample_data.place_order()

        api.decide(order, "confirm-payment", reference="SPEI 88213", note="seen by Ana")

        assert load_reason(order) == "SPEI 88213 · seen by Ana"

    def test_takes_the_numbers_back_when_it_is_late_and_all_are_free(self, api: ApiProgram) -> None:
        order = create_late_order(taken=False)

        body = api.decide(order, "confirm-payment", reference="SPEI 1").json()

        assert (body["status"], body["late"], body["numbers"]) == ("PAID", True, ["007", "013"])
        assert load_reason(order) == "SPEI 1"
        assert api.decide(order, "confirm-payment").json()["late"] is True

    def test_flags_an_order_whose_numbers_are_gone_and_sells_nothing(self, api: ApiProgram) -> None:
        order = create_late_order()

        answers = [api.decide(order, "confirm-payment", reference="SPEI 1") for _ in range(2)]

        for answer in answers:
            body = answer.json()
            assert parse_refusal(answer) == (409, "numbers_taken")
            assert (body["taken"], body["free"]) == (["007"], ["013"])
            assert (body["needs_decision"], body["retryable"]) == (True, False)
            assert (body["order"]["status"], body["order"]["needs_decision"]) == ("EXPIRED", True)
        assert load_reason(order, OrderAction.LATE_PAYMENT) == "SPEI 1"
        assert list_message_keys(order) == ["late_payment"]

    def test_after_the_draw_nothing_is_sold(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        pending, late_order = (
            sample_data.place_order(raffle, numbers=[1]),
            create_late_order(raffle, taken=False),
        )
        Raffle.objects.update(status=RaffleStatus.DRAWN)

        assert parse_refusal(api.decide(pending, "confirm-payment")) == (409, "raffle_drawn")
        answer = api.decide(late_order, "confirm-payment")
        assert parse_refusal(answer) == (409, "raffle_drawn")
        assert answer.json()["needs_decision"] is True

    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"status": RaffleStatus.SEALED}, "raffle_sealed"),
            ({"status": RaffleStatus.CANCELLED}, "raffle_called_off"),
            ({"draw_at": NOON}, "draw_time_reached"),
        ],
    )
    def test_too_late_nothing_is_sold_and_the_code_says_why(
        self, api: ApiProgram, terms: dict[str, Any], code: str
    ) -> None:
        raffle = builders.create_raffle()
        pending = sample_data.place_order(raffle, numbers=[1])
        ended = create_late_order(raffle, taken=False)
        Raffle.objects.update(**terms)

        assert parse_refusal(api.decide(pending, "confirm-payment")) == (409, code)
        answer = api.decide(ended, "confirm-payment")
        assert parse_refusal(answer) == (409, code)
        assert answer.json()["needs_decision"] is True

    def test_leaves_a_cancelled_order_to_a_person(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])
        api.decide(order, "cancel")

        answer = api.decide(order, "confirm-payment")

        assert parse_refusal(answer) == (409, "order_ended")
        body = answer.json()
        assert (body["taken"], body["free"], body["needs_decision"]) == ([], ["007", "013"], True)
        assert load_status(order) == OrderStatus.CANCELLED

    def test_refuses_a_reference_and_a_note_that_are_too_long_together(
        self, api: ApiProgram
    ) -> None:
        order = sample_data.place_order()

        answer = api.decide(order, "confirm-payment", reference="x" * 120, note="x" * 500)

        assert parse_refusal(answer) == (422, "note_too_long")
        assert load_status(order) == OrderStatus.PENDING_PAYMENT

    def test_refuses_an_order_the_buyer_has_not_confirmed(self, api: ApiProgram) -> None:
        hold = sample_data.hold_numbers(builders.create_raffle(), numbers=[7])

        assert parse_refusal(api.decide(hold, "confirm-payment")) == (409, "order_not_placed")

    def test_stops_at_a_proof_that_was_not_looked_at(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        seen, unseen = (sample_data.receive_kept_proof(order) for _ in range(2))

        for given in ([], [seen.pk]):
            answer = api.decide(order, "confirm-payment", proofs=given)
            assert parse_refusal(answer) == (409, "proof_unseen")
            assert unseen.pk in answer.json()["detail"]["proof_ids"]

        both = api.decide(order, "confirm-payment", proofs=[seen.pk, unseen.pk])
        assert both.status_code == 200

    def test_refuses_proofs_that_nobody_can_look_at_unless_the_money_was_seen(
        self, api: ApiProgram
    ) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_proof(order)

        refused = api.decide(order, "confirm-payment", proofs=[proof.pk])
        seen_elsewhere = api.decide(order, "confirm-payment", reference="SPEI 90412")

        assert parse_refusal(refused) == (409, "proof_not_viewable")
        assert refused.json()["detail"] == {"proof_ids": [proof.pk]}
        assert seen_elsewhere.status_code == 200

    def test_refuses_proofs_of_another_order_for_the_wrong_one_may_be_meant(
        self, api: ApiProgram
    ) -> None:
        raffle = builders.create_raffle()
        order, other = (sample_data.place_order(raffle, numbers=[number]) for number in (1, 2))
        own, elsewhere = sample_data.receive_proof(order), sample_data.receive_proof(other)

        answer = api.decide(order, "confirm-payment", proofs=[own.pk, elsewhere.pk, 999])

        assert parse_refusal(answer) == (422, "proof_elsewhere")
        assert answer.json()["detail"] == {"proof_ids": [elsewhere.pk, 999]}

    def test_stops_at_another_amount_unless_the_difference_is_accepted(
        self, api: ApiProgram
    ) -> None:
        order, ended = sample_data.place_order(numbers=[7, 13]), create_late_order()

        for wanted in (order, ended):
            answer = api.decide(wanted, "confirm-payment", amount="9.99")
            assert parse_refusal(answer) == (422, "amount_mismatch")
            assert answer.json()["detail"] == {
                "expected": "10.00",
                "received": "9.99",
                "currency": "USD",
            }
        assert list_message_keys(ended) == []

        accepted = api.decide(order, "confirm-payment", amount="9.99", accept_difference=True)
        assert accepted.status_code == 200
        assert load_reason(order) == "9.99 USD accepted for 10.00"

    @pytest.mark.parametrize("amount", ["10.00", " 10 ", 10, 10.0, None])
    def test_takes_the_right_amount_however_it_is_written(
        self, api: ApiProgram, amount: Any
    ) -> None:
        order = sample_data.place_order(numbers=[7, 13])

        assert api.decide(order, "confirm-payment", amount=amount).status_code == 200
        assert load_reason(order) == ""

    def test_understands_a_form_too(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])
        address = f"/api/orders/{order.pk}/confirm-payment"

        assert parse_refusal(api.client.post(address, {"amount": "1.00"})) == (
            422,
            "amount_mismatch",
        )
        assert parse_refusal(api.client.post(address, "a", content_type="text/plain"))[0] == 415


class TestMalformed:
    """Malformed bodies and addresses; the order stays as it is."""

    def test_bodies_name_the_field_and_change_nothing(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])
        confirm, cancel, reject, resolve = (
            f"/api/orders/{order.pk}/{what}"
            for what in ("confirm-payment", "cancel", "reject-payment", "resolve-late")
        )
        amounts = ["1e2", "much", "-1", -1, "10.001", 10.001, True, "1,000.00", "", "١٠", 1e30, []]
        for address, body, field in [
            *((confirm, {"amount": amount}, "amount") for amount in amounts),
            (confirm, {"accept_diference": True}, "accept_diference"),
            (confirm, {"accept_difference": "perhaps"}, "accept_difference"),
            (confirm, {"proofs": "7"}, "proofs"),
            (confirm, {"proofs": [None]}, "proofs"),
            (confirm, {"note": "x" * 501}, "note"),
            (cancel, {"note": "why"}, "note"),
            (reject, {}, "reason"),
            (reject, {"reason": "UGLY"}, "reason"),
            (reject, {"reason": "OTHER"}, "note"),
            (resolve, {"decision": "wait"}, "decision"),
            (resolve, {"decision": "refund", "note": "sent back", "numbers": [1]}, "numbers"),
            (resolve, {"decision": "refund"}, "note"),
            (resolve, {"decision": "refund", "note": " "}, "note"),
            (resolve, {"decision": "replace", "numbers": []}, "numbers"),
            (resolve, {"decision": "replace", "numbers": ["x"]}, "numbers"),
        ]:
            answer = api.post(address, body)
            assert parse_refusal(answer) == (400, "malformed"), (address, body)
            assert field in answer.json()["detail"], (address, body)
        for text in ("{", "[]", '"text"', '{"amount": NaN}', "\ufeff"):
            answer = api.client.post(confirm, text, content_type="application/json")
            assert parse_refusal(answer) == (400, "malformed"), text

        assert load_status(order) == OrderStatus.PENDING_PAYMENT

    def test_an_order_that_does_not_exist_is_404(self, api: ApiProgram) -> None:
        for name in ("999", "R-22222", "nonsense", "9" * 30, "%00", "0", "-1", "R-%F0%9F%8E%9F"):
            for what in ("/confirm-payment", "/cancel"):
                assert parse_refusal(api.post(f"/api/orders/{name}{what}")) == (
                    404,
                    "order_not_found",
                )
            assert parse_refusal(api.get(f"/api/orders/{name}")) == (404, "order_not_found")


class TestCancel:
    def test_frees_the_numbers_and_tells_the_buyer_once(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])

        first = api.post(f"/api/orders/{order.code}/cancel/", {"reason": "sold elsewhere"})
        again = api.decide(order, "cancel", reason="another", proofs=[999])

        body = first.json()
        assert (body["status"], body["already_cancelled"]) == ("CANCELLED", False)
        assert (body["numbers"], body["cancelled_by"]) == (["007", "013"], N8N)
        assert body["buyer_notified"] == "queued"
        assert (again.status_code, again.json()) == (200, body | {"already_cancelled": True})
        assert list_message_keys(order) == ["cancelled_by_seller"]
        assert load_reason(order, OrderAction.CANCELLED) == "sold elsewhere"

    def test_stops_at_a_proof_that_was_not_looked_at(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        proof = sample_data.receive_proof(order)

        assert parse_refusal(api.decide(order, "cancel", proofs=[])) == (409, "proof_unseen")
        assert api.decide(order, "cancel", proofs=[proof.pk]).status_code == 200

    def test_refuses_a_paid_and_an_expired_order_and_says_who_and_when(
        self, api: ApiProgram
    ) -> None:
        paid, expired = sample_data.place_order(), create_late_order(taken=False)
        api.decide(paid, "confirm-payment")

        by_whom = []
        for order, code in ((paid, "order_already_paid"), (expired, "order_ended")):
            answer = api.decide(order, "cancel")
            assert parse_refusal(answer) == (409, code)
            assert answer.json()["detail"]["at"]
            by_whom.append(answer.json()["detail"]["by"])
        assert by_whom == ["n8n", "time ran out"]


class TestRejectPayment:
    def test_turns_the_proofs_down_and_tells_the_buyer_once(self, api: ApiProgram) -> None:
        order = sample_data.place_order(numbers=[7, 13])
        proof = sample_data.receive_proof(order)
        body = {"reason": "NOT_CREDITED", "note": "nothing came", "proofs": [proof.pk]}

        first = api.decide(order, "reject-payment", **body).json()
        again = api.decide(order, "reject-payment", **body | {"note": "really"})

        proof.refresh_from_db()
        assert proof.verdict == Verdict.REJECTED
        assert (first["status"], first["already_rejected"]) == ("PENDING_PAYMENT", False)
        assert (first["rejected_by"], first["reason"]) == (N8N, "Not credited: nothing came")
        assert first["expires_at"] > first["rejected_at"]
        assert (first["numbers"], first["buyer_notified"]) == (["007", "013"], "queued")
        assert (again.status_code, again.json()) == (200, first | {"already_rejected": True})
        assert list_message_keys(order) == ["rejected"]

    def test_a_repeat_after_the_time_ran_out_is_still_one(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        sample_data.receive_proof(order)
        api.decide(order, "reject-payment", reason="ILLEGIBLE")
        Order.objects.update(expires_at=NOON)
        expire_order(order)

        again = api.decide(order, "reject-payment", reason="ILLEGIBLE").json()

        assert (again["status"], again["already_rejected"]) == ("EXPIRED", True)

    def test_another_proof_is_another_matter(self, api: ApiProgram) -> None:
        order = sample_data.place_order()
        old = sample_data.receive_proof(order)
        api.decide(order, "reject-payment", reason="ILLEGIBLE")
        new = sample_data.receive_proof(order, at=NOON + 5 * MINUTE)

        unseen = api.decide(order, "reject-payment", reason="ILLEGIBLE", proofs=[old.pk])
        turned_down = api.decide(order, "reject-payment", reason="REPEATED", proofs=[new.pk])

        assert parse_refusal(unseen) == (409, "proof_unseen")
        assert turned_down.json()["already_rejected"] is False
        assert list_message_keys(order) == ["rejected", "rejected"]

    def test_refuses_what_has_nothing_to_turn_down(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        waiting, paid = (sample_data.place_order(raffle, numbers=[number]) for number in (1, 2))
        sample_data.receive_proof(paid)
        api.decide(paid, "confirm-payment")

        codes = [
            parse_refusal(api.decide(order, "reject-payment", reason="ILLEGIBLE"))
            for order in (waiting, paid)
        ]

        assert codes == [(409, "nothing_to_review"), (409, "order_already_paid")]


class TestResolveLate:
    @pytest.fixture
    def late_order(self, api: ApiProgram) -> Order:
        """Create an order that needs a decision because somebody else holds 007."""
        order = create_late_order()
        assert api.decide(order, "confirm-payment").status_code == 409
        return order

    @pytest.mark.parametrize(
        ("body", "status", "sold", "notice"),
        [
            ({"decision": "replace", "numbers": ["021", 22]}, "PAID", {"021", "022"}, "replaced"),
            ({"decision": "replace", "numbers": None}, "PAID", {"013"}, "numbers_replaced"),
            ({"decision": "refund", "note": "sent back"}, "EXPIRED", {"007", "013"}, "refund_"),
        ],
    )
    def test_ends_it_in_the_way_that_is_asked_for_and_once(
        self,
        api: ApiProgram,
        late_order: Order,
        body: dict[str, Any],
        status: str,
        sold: set[str],
        notice: str,
    ) -> None:
        first = api.decide(late_order, "resolve-late", **body).json()
        again = api.decide(late_order, "resolve-late", **body)

        assert (first["status"], first["already_resolved"]) == (status, False)
        assert (first["decision"], first["resolved_by"]) == (body["decision"], N8N)
        assert sold <= set(first["numbers"])
        assert first["buyer_notified"] == "queued"
        assert (again.status_code, again.json()) == (200, first | {"already_resolved": True})
        assert [notice in key for key in list_message_keys(late_order)] == [False, True]
        assert Order.objects.get(pk=late_order.pk).needs_decision is False

    def test_takes_the_old_numbers_back_once_they_are_free_again(
        self, api: ApiProgram, late_order: Order
    ) -> None:
        body = {"decision": "take_back", "note": "the other one gave them back"}

        still = api.decide(late_order, "resolve-late", **body)
        api.decide(Order.objects.exclude(pk=late_order.pk).get(), "cancel")
        first = api.decide(late_order, "resolve-late", **body).json()
        again = api.decide(late_order, "resolve-late", **body).json()

        assert parse_refusal(still) == (409, "numbers_taken")
        assert still.json()["taken"] == ["007"]
        assert (first["status"], first["numbers"]) == ("PAID", ["007", "013"])
        assert again == first | {"already_resolved": True}
        assert list_message_keys(late_order) == ["late_payment", "paid"]
        assert load_reason(late_order) == body["note"]

    def test_another_decision_than_the_one_made_is_refused_with_who_and_when(
        self, api: ApiProgram, late_order: Order
    ) -> None:
        api.decide(late_order, "resolve-late", decision="replace", numbers=[21, 22])

        for body in (
            {"decision": "refund", "note": "sent back"},
            {"decision": "take_back"},
            {"decision": "replace", "numbers": [31, 32]},
        ):
            answer = api.decide(late_order, "resolve-late", **body)
            assert parse_refusal(answer) == (409, "decision_made")
            assert answer.json()["detail"]["by"] == "n8n"

    @pytest.mark.parametrize(
        ("numbers", "expected", "named"),
        [
            ([7, 21], (409, "numbers_taken"), {"taken": ["007"], "free": ["021"]}),
            ([21], (422, "quantity_out_of_bounds"), {"minimum": 2}),
            ([21, 500], (422, "numbers_unknown"), {"unknown": ["500"], "last": "100"}),
        ],
    )
    def test_says_what_is_wrong_with_the_numbers(
        self,
        api: ApiProgram,
        late_order: Order,
        numbers: list[int],
        expected: tuple[int, str],
        named: dict[str, Any],
    ) -> None:
        answer = api.decide(late_order, "resolve-late", decision="replace", numbers=numbers)

        assert parse_refusal(answer) == expected
        assert answer.json()["detail"].items() >= named.items()

    @pytest.mark.parametrize(
        "arranged", [sample_data.place_order, lambda: create_late_order(taken=False)]
    )
    def test_decides_only_about_what_is_flagged(
        self, api: ApiProgram, arranged: Callable[[], Order]
    ) -> None:
        order = arranged()

        answer = api.decide(order, "resolve-late", decision="take_back")

        assert parse_refusal(answer) == (409, "decision_made")
        assert load_status(order) != OrderStatus.PAID
