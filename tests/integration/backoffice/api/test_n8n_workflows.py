"""Tests of the n8n workflows, run by a model of n8n against the real API and real events."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Final

import pytest
from pytest_django import Settings

from shared.core.enums import EventType, OrderAction, OrderStatus, Scope
from shared.events import signing
from shared.publishing import recorder
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawResult, SourceReading
from shared.raffles.models import Order
from shared.raffles.services.draws.draw_rules import ChosenRules
from shared.use_cases import payments, reversals
from tests import builders, draw_builders
from tests.builders import MINUTE, NOON
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram, create_late_order
from tests.n8n_model import workflow_rules
from tests.n8n_model.expressions import ExpressionScope
from tests.n8n_model.workflow_runner import (
    NodeRequest,
    NodeResponse,
    WorkflowItem,
    WorkflowRunner,
    WorkflowSurroundings,
)

pytestmark = [pytest.mark.django_db, pytest.mark.same_everywhere]

_statement_serial = count(1)

URL: Final = "https://raffles.example"
SETTINGS: Final = {
    "public_url": URL,
    "seller_email": "ana@raffles.example",
    "sender_email": "bot@raffles.example",
}
SECRETS: Final = {"raffleProofSecret": "whsec_cHJvb2Zz", "raffleEventSecret": "whsec_ZXZlbnRz"}
FLOWS: Final = {flow["id"]: flow for flow in workflow_rules.load_workflows()}

MONEY_IS_THERE: Final = {"Decision": "The money is there: confirm"}
NO_MONEY: Final = {"Decision": "No money has arrived", "Note": "look again"}
LATER: Final = {"Decision": "Leave it: I decide in the back office"}


@pytest.fixture
def api(db: None, settings: Settings) -> ApiProgram:
    settings.PUBLIC_URL = URL
    return ApiProgram()


def build_ask(api: ApiProgram) -> Any:
    """Return a function that answers HTTP nodes with the API, through Django's test client."""

    def ask(request: NodeRequest) -> NodeResponse:
        sent = {"data": json.dumps(request.body), "content_type": "application/json"}
        more: Mapping[str, Any] = sent if request.method == "POST" else {}
        found = getattr(api.client, request.method.lower())(
            request.path, headers=dict(request.headers), **more
        )
        headers = {name.lower(): value for name, value in found.headers.items()}
        return NodeResponse(found.status_code, found.json(), headers)

    return ask


def build_runner(flow: str, api: ApiProgram, **more: Any) -> WorkflowRunner:
    surroundings = WorkflowSurroundings(
        ask=build_ask(api), secrets=SECRETS, settings=SETTINGS, **more
    )
    return WorkflowRunner(FLOWS[flow], surroundings)


def load_events(api: ApiProgram, *types: str) -> list[Any]:
    """Assign sequence numbers to the recorded events and read them from the feed."""
    recorder.sequence_events(now=NOON)
    found = api.get(f"/api/events?types={','.join(types)}").json()["results"]
    assert found
    return list(found)


def build_webhook_item(event: Any, *, secret: str) -> WorkflowItem:
    """Return the item that the webhook node makes of an event sent by the gateway."""
    body = json.dumps(event, separators=(",", ":")).encode()
    headers = signing.build_signature_headers(
        secret, event_id=event["id"], body=body, now=datetime.now(UTC)
    )
    lowered = {name.lower(): value for name, value in headers.items()}
    return WorkflowItem({"headers": lowered, "body": json.loads(body)}, binary=body)


def stub_matching(*transfers: Mapping[str, str]) -> Any:
    """Return a stand-in for the code node that matches bank transfers with orders."""

    def match(items: list[Any], scope: ExpressionScope) -> list[Any]:
        assert scope.node("Bank statement")["first"]()["json"]["rows"] == []
        paid = [transfer["code"] for transfer in transfers]
        code = next(
            node["parameters"]["jsCode"]
            for node in FLOWS["raffleTransfers01"]["nodes"]
            if node["name"] == "Match"
        )
        read = re.search(r"const \{([\w, ]+)\} = order;", code)
        assert read is not None
        waiting = [
            {"group": "no_money_yet"}
            | {name.strip(): order[name.strip()] for name in read[1].split(",")}
            for order in items
            if order.get("id") and order["code"] not in paid
        ]
        known = {"group": "confirm", "reference": "SPEI 1"}
        keys = [
            {"key": f"statement-{each['code']}-{next(_statement_serial)}"} for each in transfers
        ]
        return [
            {**known, **each, **key} for each, key in zip(transfers, keys, strict=True)
        ] + waiting

    return {"Match": match}


def place_order_with_proof(**about: Any) -> Order:
    order = sample_data.place_order(**about)
    sample_data.keep_proof_file(sample_data.receive_proof(order))
    return order


class TestTransfers:
    def test_are_confirmed_or_told_apart(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        paid, other, waits = (place_order_with_proof(raffle=raffle, numbers=[n]) for n in (1, 2, 3))
        late = create_late_order(raffle)
        price = str(paid.total)
        transfers = [
            {"code": str(paid.code), "amount": price},
            {"code": str(other.code), "amount": "1.00"},
            {"code": str(late.code), "amount": str(late.total)},
            {"code": "R-22222", "amount": price},
        ]
        n8n = build_runner("raffleTransfers01", api, code=stub_matching(*transfers))

        n8n.run("Start")

        def ends(name: str) -> list[tuple[str, str]]:
            return [(item["code"], item.get("why", "")) for item in n8n.reached.get(name, [])]

        assert ends("Confirmed") == [(paid.code, "")]
        assert ends("For a person") == [
            (other.code, "amount_mismatch"),
            (late.code, "numbers_taken"),
            ("R-22222", "order_not_found"),
        ]
        assert ends("No money yet") == [(waits.code, "")]
        [confirmed] = n8n.reached["Confirmed"]
        assert confirmed["confirmed_by"] == "n8n"

        n8n.run("Start")

        assert ends("Already confirmed") == [(paid.code, "")]

    def test_are_left_to_a_person_once_their_confirmation_was_undone(self, api: ApiProgram) -> None:
        order = place_order_with_proof(numbers=[1])
        transfer = {"code": str(order.code), "amount": str(order.total)}
        n8n = build_runner("raffleTransfers01", api, code=stub_matching(transfer))
        n8n.run("Start")
        confirmation = order.events.get(action=OrderAction.PAID)
        reversals.undo_confirmation(
            order.pk,
            confirmation_id=confirmation.pk,
            reason="another buyer's transfer",
            by=builders.build_staff_actor(),
            now=NOON,
        )

        for _ in range(2):
            n8n.run("Start")
            [left] = n8n.reached["For a person"]
            assert (left["code"], left["why"]) == (order.code, "confirmation_undone")
            assert "a person must decide" in left["message"]
            assert not n8n.reached.get("Try again")

        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT
        assert order.events.filter(action=OrderAction.PAID).count() == 1

    def test_are_compared_with_every_page_of_orders(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        orders = [place_order_with_proof(raffle=raffle, numbers=[n]) for n in range(1, 4)]
        flow = json.loads(
            json.dumps(FLOWS["raffleTransfers01"]).replace("page_size=200", "page_size=1")
        )
        surroundings = WorkflowSurroundings(
            ask=build_ask(api), settings=SETTINGS, code=stub_matching()
        )
        n8n = WorkflowRunner(flow, surroundings)

        n8n.run("Start")

        assert [item["code"] for item in n8n.reached["No money yet"]] == [o.code for o in orders]

    def test_are_none_where_nothing_waits(self, api: ApiProgram) -> None:
        n8n = build_runner("raffleTransfers01", api, code=stub_matching())

        n8n.run("Start")

        assert n8n.reached["One per order"] == [{}]
        assert n8n.reached["Match"] == []


class TestQuestions:
    def answer_question(
        self, api: ApiProgram, event: Any, answer: Mapping[str, str]
    ) -> WorkflowRunner:
        n8n = build_runner("raffleProofs01", api, decide=lambda mail: answer)
        n8n.run("Event", build_webhook_item(event, secret=SECRETS["raffleProofSecret"]))
        assert n8n.response == 200
        return n8n

    @pytest.mark.parametrize(
        ("answer", "outcome", "status", "verdict"),
        [
            (MONEY_IS_THERE, "confirmed", OrderStatus.PAID, "ACCEPTED"),
            (
                {**MONEY_IS_THERE, "Amount that arrived": "1.00"},
                "amount_mismatch",
                OrderStatus.PENDING_PAYMENT,
                "PENDING",
            ),
            (NO_MONEY, "rejected", OrderStatus.PENDING_PAYMENT, "REJECTED"),
            (LATER, None, OrderStatus.PENDING_PAYMENT, "PENDING"),
        ],
    )
    def test_are_put_and_their_answers_carried_out(
        self,
        api: ApiProgram,
        answer: Mapping[str, str],
        outcome: str | None,
        status: OrderStatus,
        verdict: str,
    ) -> None:
        order = place_order_with_proof()
        [event] = load_events(api, "order.proof_received")

        n8n = self.answer_question(api, event, answer)

        order.refresh_from_db()
        assert order.status == status
        assert [proof.verdict for proof in order.proofs.all()] == [verdict]
        asked, *told = n8n.mails
        assert asked["toEmail"] == SETTINGS["seller_email"]
        assert asked["subject"].startswith(f"{order.code}: have ")
        assert event["data"]["proof"]["url"] in asked["message"]
        assert "007, 013" in asked["message"]
        expected = [] if outcome is None else [f"{order.code}: {outcome}"]
        assert [mail["subject"] for mail in told] == expected

    def test_that_somebody_else_answered_or_overtook_change_nothing(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle()
        order = place_order_with_proof(raffle=raffle, numbers=[1])
        [event] = load_events(api, "order.proof_received")
        unseen = sample_data.receive_kept_proof(order, at=NOON + 2 * MINUTE)

        overtaken = self.answer_question(api, event, MONEY_IS_THERE)

        assert overtaken.reached["What came of it"][0]["outcome"] == "proof_unseen"
        order.refresh_from_db()
        assert order.status == OrderStatus.PENDING_PAYMENT

        payments.confirm_payment(
            order.pk,
            by=builders.build_staff_actor(),
            now=NOON,
            seen_proofs=[unseen.pk, event["data"]["proof"]["id"]],
        )
        event["id"] = "evt_another"
        late = self.answer_question(api, event, MONEY_IS_THERE)
        [came] = late.reached["What came of it"]
        assert came["outcome"] == "already_confirmed"
        assert "rita" in came["words"]

    def test_are_put_once_and_only_about_what_we_signed(self, api: ApiProgram) -> None:
        place_order_with_proof()
        [event] = load_events(api, "order.proof_received")
        n8n = build_runner("raffleProofs01", api, decide=lambda mail: LATER)

        n8n.run("Event", build_webhook_item(event, secret="whsec_c29tZWJvZHkgZWxzZQ=="))
        assert (n8n.response, n8n.mails) == (401, [])
        n8n.run(
            "Event", WorkflowItem({"headers": {}, "body": event}, binary=json.dumps(event).encode())
        )
        assert (n8n.response, n8n.mails) == (401, [])
        for _ in range(2):
            n8n.run("Event", build_webhook_item(event, secret=SECRETS["raffleProofSecret"]))
            assert n8n.response == 200
        assert len(n8n.mails) == 1

        n8n.run("Every month")
        n8n.run("Event", build_webhook_item(event, secret=SECRETS["raffleProofSecret"]))
        assert len(n8n.mails) == 2, "its memory was emptied before it was full"

    def test_are_not_put_about_what_is_decided(self, api: ApiProgram) -> None:
        order = place_order_with_proof()
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        [event] = load_events(api, "order.paid")

        n8n = self.answer_question(api, event, MONEY_IS_THERE)

        assert n8n.mails == []
        assert "Nothing to decide" in n8n.reached


class TestSummary:
    def test_tells_the_day_in_one_mail(self, api: ApiProgram) -> None:
        raffle = builders.create_raffle(price=Decimal("5.00"))
        waits = place_order_with_proof(raffle=raffle, numbers=[1, 2])
        late = create_late_order(raffle)
        payments.confirm_payment(late.pk, by=builders.build_staff_actor(), now=NOON)
        n8n = build_runner("raffleSummary01", api)

        n8n.run("Every morning")

        [mail] = n8n.mails
        assert mail["subject"] == "Raffles: 1 to check, 0 numbers sold yesterday"
        for part in ("Payments to check: 1", "Late payments to decide about: 1", "10.00 USD"):
            assert part in mail["text"]
        for order in (waits, late):
            assert str(order.code) in mail["text"]


class TestDrandValues:
    def test_are_entered_once_their_round_has_come_and_a_person_draws(
        self, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = URL
        api = ApiProgram(sample_data.create_api_token("draws", scope=Scope.DRAW))
        now = datetime.now(UTC).replace(microsecond=0)
        waiting, due = (
            draw_builders.create_raffle_with_rules(draw_at=at, rules=ChosenRules())
            for at in (now + 60 * MINUTE, now)
        )
        for raffle in (waiting, due):
            draw_builders.sell_numbers(raffle, 1, 2)
            draw_builders.seal_raffle(raffle)
        round_number = draw_methods.compute_drand_round(now)
        address = f"https://api.drand.sh/{draw_methods.DRAND_CHAIN}/public/{round_number}"
        answer = {"round": round_number, "randomness": "ab" * 32, "signature": "cd" * 48}
        n8n = build_runner("raffleDraws01", api, elsewhere={address: answer})

        n8n.run("Now")

        [mail] = n8n.mails
        assert mail["subject"] == "Summer Raffle: the value of drand quicknet is entered"
        assert mail["text"].startswith("It counts. Now somebody draws.\n")
        assert f"{URL}/admin/draws/{due.pk}/" in mail["text"]
        reading = SourceReading.objects.get()
        assert (reading.raffle_id, reading.values, reading.link) == (due.pk, ["ab" * 32], address)
        assert not DrawResult.objects.exists()

        n8n.run("Every quarter of an hour")

        assert len(n8n.mails) == 1


class TestEveryEvent:
    def test_reaches_its_place_once_by_whichever_way_it_came(self, api: ApiProgram) -> None:
        order = place_order_with_proof()
        payments.confirm_payment(order.pk, by=builders.build_staff_actor(), now=NOON)
        heard = load_events(api)
        code = {
            "Where we are": lambda items, scope: [{"after": 0}],
            "Go on from here": lambda items, scope: items,
        }
        n8n = build_runner("raffleEvents01", api, code=code)
        some = [{**heard[0], "id": f"evt_{type_}", "type": str(type_)} for type_ in EventType]
        unknown = {**heard[0], "id": "evt_new", "type": "raffle.renamed"}

        for event in (heard[0], *some, unknown):
            n8n.run("Event", build_webhook_item(event, secret=SECRETS["raffleEventSecret"]))
            words = event["type"].replace(".", " ").replace("_", " ").capitalize()
            place = words if event is not unknown else "New to this workflow"
            assert [item["id"] for item in n8n.reached[place]] == [event["id"]]
        n8n.run("Every hour")

        assert [item["id"] for item in n8n.reached["One by one"]] == [e["id"] for e in heard]
        assert [item["id"] for item in n8n.reached["Once only"]] == [e["id"] for e in heard[1:]]
        n8n.run("Event with a fixed header", WorkflowItem({"headers": {}, "body": unknown}))
        assert n8n.reached["Once only"] == []
