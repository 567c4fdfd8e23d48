"""Tests of recorded events: one per fact, in its transaction, with the data of that moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.dispatch import Signal
from django.test.utils import CaptureQueriesContext
from pydantic import TypeAdapter

from shared.conversation import button_ids
from shared.core.enums import EventType, OrderAction, OrderStatus, RaffleStatus, RejectReason
from shared.core.errors import DomainError
from shared.events.models import Event
from shared.publishing import event_payloads, recorder, signed_links
from shared.raffles import signals
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.services import ledger_entries, lifecycle, orders, reservations
from shared.raffles.services.draws import sealed_lists
from shared.raffles.services.payment_proofs import proof_fetching
from shared.use_cases import (
    cash_sales,
    late_payments,
    order_endings,
    orphan_proofs,
    payments,
    proof_files,
    proof_sorting,
    raffle_changes,
    reversals,
)
from shared.whatsapp.services import alarms
from tests import builders
from tests.builders import DRAW, MINUTE, NOON, build_staff_actor, build_token_actor
from tests.cases import roll_back, walk_cases
from tests.integration.concurrency import run_at_once
from tests.integration.conversation.chat import BuyerChat
from tests.integration.raffles import order_states
from tests.integration.raffles.order_states import AFTER_THE_DEADLINE

PUBLIC_URL = "https://raffles.example"
BY_STAFF: dict[str, Any] = {"by": build_staff_actor(), "now": NOON + MINUTE}
BY_STAFF_LATE: dict[str, Any] = {"by": build_staff_actor(), "now": AFTER_THE_DEADLINE + MINUTE}

type Story = Callable[[Raffle], object]


def list_event_types() -> list[str]:
    """Return the types of all events, oldest first, without the prefix of order events."""
    types = Event.objects.order_by("pk").values_list("type", flat=True)
    return [type_.removeprefix("order.") for type_ in types]


def load_latest_event(type_: EventType) -> Event:
    event = Event.objects.filter(type=type_).order_by("-pk").first()
    assert event is not None
    return event


def build_payload(event: Event) -> dict[str, Any]:
    return event_payloads.build_event_payload(event, public_url=PUBLIC_URL, now=NOON)


def keep_file(proof: PaymentProof, *, content: bytes = b"receipt") -> None:
    """Store a proof's file, as the gateway does once it has fetched it."""
    proof_files.keep_proof_file(
        proof.pk,
        content=content,
        content_type="image/jpeg",
        extension="jpg",
        now=NOON + MINUTE,
        fingerprint="",
    )


def add_file(proof: PaymentProof) -> PaymentProof:
    keep_file(proof)
    return proof


def receive_late_proof(order: Order) -> PaymentProof:
    return order_states.receive_proof(order, arrived_at=AFTER_THE_DEADLINE).proof


def create_ended_hold(raffle: Raffle) -> Order:
    order = order_states.create_held_order(raffle)
    orders.expire(order, now=AFTER_THE_DEADLINE)
    return order


def reject_payment(order: Order) -> Order:
    return payments.reject_payment(
        order.pk, reason=RejectReason.ILLEGIBLE, note="half of it", **BY_STAFF
    )


def sell_for_cash(raffle: Raffle, *, numbers: list[int] | None = None) -> cash_sales.CashSale:
    return cash_sales.sell_for_cash(
        raffle.pk,
        numbers=numbers or [1, 2],
        quantity=2,
        buyer_name="Inés",
        buyer_phone="+1 555 0199",
        request_key=UUID(int=1),
        pivot=0,
        **BY_STAFF,
    )


def create_order_from_proof(proof: PaymentProof, raffle: Raffle) -> Order:
    terms: dict[str, Any] = {"raffle_id": raffle.pk, "numbers": [7], "quantity": 1, "pivot": 0}
    return orphan_proofs.create_order_from_proof(proof.pk, **terms, **BY_STAFF)


def undo_confirmation(order: Order) -> object:
    confirmation = ledger_entries.load_confirmation(order)
    return reversals.undo_confirmation(
        order.pk, confirmation_id=confirmation.pk, reason="Another buyer's money", **BY_STAFF
    )


def refund_order(order: Order) -> object:
    confirmation = ledger_entries.load_confirmation(order)
    return reversals.refund_order(
        order.pk,
        confirmation_id=confirmation.pk,
        note="By bank transfer.",
        reference="SPEI 90412",
        **BY_STAFF,
    )


def move_draw(raffle: Raffle, *, days: int = 7) -> Raffle:
    return lifecycle.move_draw(
        raffle.pk, draw_at=DRAW + timedelta(days=days), reason="The permit came late.", **BY_STAFF
    )


def call_off(raffle: Raffle) -> Raffle:
    return lifecycle.call_off(raffle.pk, reason="The hall burned down.", **BY_STAFF)


def do_twice(act: Callable[[], object]) -> None:
    """Call `act` twice; the second call may be refused and must record nothing."""
    act()
    try:
        act()
    except DomainError:
        return


def holds_and_lets_go(raffle: Raffle) -> None:
    hold = order_states.create_held_order(raffle)
    assert hold.contact is not None
    # The buyer's second hold replaces the first.
    other = order_states.create_held_order(raffle, numbers=[4], contact=hold.contact)
    order_endings.cancel_order(other.pk, **BY_STAFF)
    order_states.create_held_order(raffle)
    order_endings.expire_due_orders(now=AFTER_THE_DEADLINE)


def is_paid(raffle: Raffle) -> None:
    order = order_states.create_placed_order(raffle)
    do_twice(lambda: payments.confirm_payment(order.pk, **BY_STAFF))


def proves_a_hold(raffle: Raffle) -> None:
    proof = order_states.receive_proof(order_states.create_held_order(raffle)).proof
    assert list_event_types() == ["created"]
    do_twice(lambda: keep_file(proof))


def sends_an_album(raffle: Raffle) -> None:
    order = order_states.create_placed_order(raffle)
    for proof in [order_states.receive_proof(order).proof for _ in range(2)]:
        keep_file(proof, content=b"%d" % proof.pk)


def is_rejected(raffle: Raffle) -> None:
    order = order_states.create_order_under_review(raffle)
    payments.ask_for_better_proof(order.pk, note="", **BY_STAFF)
    do_twice(lambda: reject_payment(order))


def is_cancelled(raffle: Raffle) -> None:
    order = order_states.create_placed_order(raffle)
    do_twice(lambda: order_endings.cancel_order(order.pk, **BY_STAFF))


def expires(raffle: Raffle) -> None:
    order_states.create_placed_order(raffle)
    do_twice(lambda: order_endings.expire_due_orders(now=AFTER_THE_DEADLINE))


def proves_late_and_gets_its_numbers(raffle: Raffle) -> None:
    keep_file(receive_late_proof(order_states.create_expired_order(raffle)))


def confirmed_late_and_gets_its_numbers(raffle: Raffle) -> None:
    order = order_states.create_expired_order(raffle)
    do_twice(lambda: payments.confirm_payment(order.pk, **BY_STAFF_LATE))


def pays_too_late(raffle: Raffle) -> None:
    order = order_states.create_late_order(raffle)
    keep_file(order.proofs.get())
    do_twice(lambda: payments.confirm_payment(order.pk, **BY_STAFF_LATE))


def pays_too_late_and_gets_other_numbers(raffle: Raffle) -> None:
    order = order_states.create_late_order(raffle)
    do_twice(
        lambda: late_payments.replace_numbers(
            order.pk, numbers=[7, 8, 9], pivot=0, **BY_STAFF_LATE
        ),
    )


def pays_too_late_and_gets_the_money_back(raffle: Raffle) -> None:
    order = order_states.create_late_order(raffle)
    do_twice(lambda: late_payments.note_refund(order.pk, note="By bank transfer.", **BY_STAFF_LATE))


def pays_too_late_and_is_rejected(raffle: Raffle) -> None:
    order = order_states.create_late_order(raffle)
    do_twice(lambda: reject_payment(order))


def brings_an_ended_hold_back(raffle: Raffle) -> None:
    keep_file(receive_late_proof(create_ended_hold(raffle)))


def proves_an_ended_hold_too_late(raffle: Raffle) -> None:
    order = create_ended_hold(raffle)
    order_states.create_held_order(raffle)
    receive_late_proof(order)


def buys_for_cash(raffle: Raffle) -> None:
    do_twice(lambda: sell_for_cash(raffle))


def attaches_a_kept_orphan(raffle: Raffle) -> None:
    proof, order = (
        add_file(order_states.receive_orphan_proof()),
        order_states.create_placed_order(raffle),
    )
    assert list_event_types() == ["created"]
    do_twice(lambda: orphan_proofs.attach_proof(proof.pk, order_id=order.pk, **BY_STAFF))


def attaches_an_orphan_on_its_way(raffle: Raffle) -> None:
    proof, order = order_states.receive_orphan_proof(), order_states.create_placed_order(raffle)
    orphan_proofs.attach_proof(proof.pk, order_id=order.pk, **BY_STAFF)
    assert list_event_types() == ["created"]
    do_twice(lambda: keep_file(proof))


def attaches_a_kept_orphan_too_late(raffle: Raffle) -> None:
    proof, order = (
        add_file(order_states.receive_orphan_proof()),
        order_states.create_expired_order(raffle),
    )
    order_states.create_held_order(raffle)
    orphan_proofs.attach_proof(proof.pk, order_id=order.pk, **BY_STAFF_LATE)


def makes_an_order_of_an_orphan(raffle: Raffle) -> None:
    proof = add_file(order_states.receive_orphan_proof())
    do_twice(lambda: create_order_from_proof(proof, raffle))


def moves_a_kept_proof(raffle: Raffle) -> None:
    wrong = order_states.create_order_under_review(raffle)
    proof = add_file(wrong.proofs.get())
    right = order_states.create_placed_order(raffle, numbers=[7])
    do_twice(
        lambda: proof_sorting.move_proof(
            proof.pk, from_order_id=wrong.pk, to_order_id=right.pk, **BY_STAFF
        )
    )


def dismisses_an_orphan(raffle: Raffle) -> None:
    proof = add_file(order_states.receive_orphan_proof())
    orphan_proofs.dismiss_proof(proof.pk, note="", tell_buyer=False, **BY_STAFF)


def chats_from_hello_to_receipt(raffle: Raffle) -> None:
    buyer = BuyerChat()
    order = buyer.buys(numbers="7 and 8")
    buyer.sends_picture()
    keep_file(order.proofs.get())


def chats_and_cancels(raffle: Raffle) -> None:
    buyer = BuyerChat()
    buyer.buys(numbers="7 and 8")
    buyer.says("CANCEL")


def claims_an_album_in_the_chat(raffle: Raffle) -> None:
    buyer = BuyerChat()
    order = buyer.buys(numbers="7 and 8")
    album = [order_states.receive_orphan_proof(buyer.contact) for _ in range(3)]
    keep_file(album[0])
    keep_file(album[2])
    buyer.taps_id(button_ids.build_button_id(button_ids.ButtonAction.PROOF, album[1].pk, order.pk))


def sells_the_last_number(raffle: Raffle) -> None:
    numbers = range(1, raffle.number_count)
    first, last = (
        order_states.create_placed_order(raffle, numbers=numbers),
        order_states.create_placed_order(raffle, numbers=[20]),
    )
    payments.confirm_payment(first.pk, **BY_STAFF)
    do_twice(lambda: payments.confirm_payment(last.pk, **BY_STAFF))


def is_undone_and_paid_again(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle)
    do_twice(lambda: undo_confirmation(order))
    payments.confirm_payment(order.pk, **BY_STAFF)


def is_refunded(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle)
    do_twice(lambda: refund_order(order))


def is_refunded_after_the_sealing(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle)
    lifecycle.close(raffle.pk, **BY_STAFF)
    sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)
    do_twice(lambda: refund_order(order))


def sells_out_again_after_an_undo_and_a_refund(raffle: Raffle) -> None:
    first = order_states.create_paid_order(raffle, numbers=[1])
    last = order_states.create_paid_order(raffle, numbers=range(2, 21))
    undo_confirmation(first)
    payments.confirm_payment(first.pk, **BY_STAFF)
    refund_order(last)
    sell_for_cash(raffle, numbers=[*range(2, 21)])
    recorder.sequence_events(now=NOON)


def is_refunded_behind_the_sealing_of_a_sold_out_raffle(raffle: Raffle) -> None:
    order = order_states.create_paid_order(raffle, numbers=range(1, 21))
    lifecycle.close(raffle.pk, **BY_STAFF)
    sealed_lists.seal(raffle.pk, two_people=False, **BY_STAFF)
    refund_order(order)
    recorder.sequence_events(now=NOON)


def moves_its_draw(raffle: Raffle) -> None:
    order_states.create_paid_order(raffle)
    do_twice(lambda: move_draw(raffle))
    raffle_changes.continue_raffle_changes(now=NOON)


def is_called_off(raffle: Raffle) -> None:
    order_states.create_held_order(raffle, numbers=[1])
    order_states.create_placed_order(raffle, numbers=[2])
    order_states.create_order_under_review(raffle, numbers=[3])
    order_states.create_paid_order(raffle, numbers=[4])
    do_twice(lambda: call_off(raffle))
    do_twice(lambda: raffle_changes.continue_raffle_changes(now=NOON))


def pauses_opens_and_closes(raffle: Raffle) -> None:
    for act in (lifecycle.pause, lifecycle.open_raffle, lifecycle.close):
        act(raffle.pk, **BY_STAFF)


STORIES: dict[Story, list[str]] = {
    holds_and_lets_go: [],
    is_paid: ["created", "paid"],
    proves_a_hold: ["created", "proof_received"],
    sends_an_album: ["created", "proof_received", "proof_received"],
    is_rejected: ["created", "rejected"],
    is_cancelled: ["created", "cancelled"],
    expires: ["created", "expired"],
    proves_late_and_gets_its_numbers: ["created", "expired", "proof_received"],
    confirmed_late_and_gets_its_numbers: ["created", "expired", "paid"],
    pays_too_late: ["created", "expired", "late_payment", "proof_received"],
    pays_too_late_and_gets_other_numbers: ["created", "expired", "late_payment", "paid"],
    pays_too_late_and_gets_the_money_back: ["created", "expired", "late_payment"],
    pays_too_late_and_is_rejected: ["created", "expired", "late_payment", "rejected"],
    brings_an_ended_hold_back: ["created", "proof_received"],
    proves_an_ended_hold_too_late: ["late_payment"],
    buys_for_cash: ["created", "paid"],
    attaches_a_kept_orphan: ["created", "proof_received"],
    attaches_an_orphan_on_its_way: ["created", "proof_received"],
    attaches_a_kept_orphan_too_late: ["created", "expired", "late_payment", "proof_received"],
    makes_an_order_of_an_orphan: ["created", "proof_received"],
    moves_a_kept_proof: ["created", "proof_received", "created", "proof_received"],
    dismisses_an_orphan: [],
    chats_from_hello_to_receipt: ["created", "proof_received"],
    chats_and_cancels: ["created", "cancelled"],
    claims_an_album_in_the_chat: ["created", "proof_received", "proof_received"],
    sells_the_last_number: ["created", "created", "paid", "paid", "raffle.sold_out"],
    is_undone_and_paid_again: ["created", "paid", "unconfirmed", "paid"],
    is_refunded: ["created", "paid", "refunded"],
    is_refunded_after_the_sealing: ["created", "paid", "raffle.sealed", "refunded"],
    sells_out_again_after_an_undo_and_a_refund: [
        *["created", "paid", "created", "paid", "raffle.sold_out"],
        *["unconfirmed", "paid", "raffle.sold_out"],
        *["refunded", "created", "paid", "raffle.sold_out"],
    ],
    is_refunded_behind_the_sealing_of_a_sold_out_raffle: [
        *["created", "paid", "raffle.sold_out"],
        *["raffle.sealed", "refunded"],
    ],
    moves_its_draw: ["created", "paid", "raffle.draw_moved"],
    is_called_off: [
        *["created", "created", "created", "paid"],
        *["raffle.called_off", "cancelled", "cancelled", "late_payment"],
    ],
    pauses_opens_and_closes: [],
}


@pytest.mark.django_db
class TestAnEventAFact:
    @pytest.mark.same_everywhere
    @walk_cases("story", STORIES)
    @roll_back
    def test_whoever(self, story: Story) -> None:
        story(builders.create_raffle(numbers=20, max_per_order=20))

        assert list_event_types() == STORIES[story]
        for event in Event.objects.all():
            TypeAdapter(event_payloads.Envelope).validate_python(build_payload(event))

    def test_a_trouble_is_told_when_it_begins_and_when_it_begins_again(self) -> None:
        for _ in range(2):
            alarms.sound_alarm("paused:1", title="Sending is paused", phone_number_id="1", now=NOON)
        assert list_event_types() == ["channel.alert"]
        alarms.resolve_alarm("paused:1", by="rita", now=NOON)
        alarms.sound_alarm("paused:1", title="Sending is paused", detail="Token", now=NOON)

        assert list_event_types() == ["channel.alert"] * 2
        read = build_payload(load_latest_event(EventType.CHANNEL_ALERT))
        TypeAdapter(event_payloads.Envelope).validate_python(read)
        assert read["data"] == {
            "alert": {
                "key": "paused:1",
                "title": "Sending is paused",
                "detail": "Token",
                "phone_number_id": "",
            }
        }


class ListenerFailed(Exception):
    """The error of a failing listener."""


@contextmanager
def connect_listener(signal: Signal, listener: Callable[..., object]) -> Iterator[None]:
    """Connect a listener after the product's own while the block runs."""
    signal.connect(listener, weak=False)
    try:
        yield
    finally:
        signal.disconnect(listener)


@pytest.mark.django_db
class TestInTheTransactionOfTheChange:
    def test_what_is_rolled_back_is_not_told_and_what_cannot_be_told_is_rolled_back(self) -> None:
        order = order_states.create_placed_order(builders.create_raffle(numbers=20))
        refused: list[OrderAction] = []

        def refuse(action: OrderAction, **_: object) -> None:
            # The product's own listener ran before this one.
            assert list_event_types() == ["created", "paid"]
            refused.append(action)
            raise ListenerFailed

        with connect_listener(signals.order_changed, refuse), pytest.raises(ListenerFailed):
            payments.confirm_payment(order.pk, **BY_STAFF)

        assert refused == [OrderAction.PAID]
        assert list_event_types() == ["created"]
        assert order_states.reload_order(order).status == OrderStatus.PENDING_PAYMENT

    def test_a_hold_costs_nothing_more(self) -> None:
        raffle, buyer = builders.create_raffle(numbers=20), builders.create_contact()
        order_states.create_held_order(raffle, contact=buyer)

        with CaptureQueriesContext(
            connection,
        ) as queries:
            reservations.hold_random(
                raffle,
                contact_id=buyer.pk,
                quantity=2,
                pivot=0,
                now=NOON,
                by=builders.build_chat_actor(),
            )

        assert not [query for query in queries if "events_" in query["sql"]]

    def test_an_event_of_an_order_costs_four_queries_at_most(self) -> None:
        order = order_states.create_order_under_review(builders.create_raffle(numbers=20))

        with CaptureQueriesContext(connection) as queries:
            reject_payment(order)

        entry = 'INSERT INTO "raffles_orderevent"'
        at = [place for place, query in enumerate(queries) if entry in query["sql"]]
        told_in = list(queries)[at[-1] + 1 :]
        records = [place for place, query in enumerate(told_in) if "events_event" in query["sql"]]
        assert len(records) == 1
        assert records[0] < 4


@pytest.mark.django_db
class TestAsThingsThenWere:
    def test_a_paid_order_has_its_numbers_and_its_proofs_their_verdict(self) -> None:
        order = order_states.create_order_under_review(
            builders.create_raffle(numbers=20), numbers=[7, 13]
        )

        payments.confirm_payment(
            order.pk, by=build_token_actor(), now=NOON + MINUTE, reason="SPEI 88213"
        )

        event = load_latest_event(EventType.ORDER_PAID)
        assert (event.subject, event.order_id, event.proof_id) == (order.code, order.pk, None)
        data = build_payload(event)["data"]
        assert data["reason"] == "SPEI 88213"
        assert data["by"] == {"kind": "token", "label": "n8n"}
        assert (data["proof"], data["actions"]) == (None, None)
        seen = data["order"]
        assert (seen["code"], seen["status"], seen["numbers"]) == (order.code, "PAID", ["07", "13"])
        assert (seen["total"], seen["closed_at"]) == ("10.00", "2026-11-22T12:01:00+00:00")
        assert [proof["verdict"] for proof in seen["proofs"]] == ["ACCEPTED"]

    def test_a_rejected_one_has_a_clock_again_and_what_can_be_done(self) -> None:
        order = order_states.create_order_under_review(builders.create_raffle(numbers=20))

        reject_payment(order)

        data = build_payload(load_latest_event(EventType.ORDER_REJECTED))["data"]
        assert data["reason"] == "Illegible: half of it"
        assert data["order"]["expires_at"] == "2026-11-22T12:31:00+00:00"
        assert [proof["verdict"] for proof in data["order"]["proofs"]] == ["REJECTED"]
        assert data["actions"] == {
            "confirm_url": f"{PUBLIC_URL}/api/orders/{order.pk}/confirm-payment",
            "reject_url": f"{PUBLIC_URL}/api/orders/{order.pk}/reject-payment",
        }

    def test_an_expired_one_names_the_numbers_it_had(self) -> None:
        order_states.create_expired_order(builders.create_raffle(numbers=20), numbers=[7])

        data = build_payload(load_latest_event(EventType.ORDER_EXPIRED))["data"]
        assert (data["order"]["status"], data["order"]["numbers"]) == ("EXPIRED", ["07"])
        assert (data["by"]["kind"], data["actions"]) == ("sweeper", None)

    def test_a_sale_for_cash_knows_its_buyer_and_numbers_from_the_beginning(self) -> None:
        sell_for_cash(builders.create_raffle(numbers=20))

        order = load_latest_event(EventType.ORDER_CREATED).data["order"]
        assert order["buyer"] == {"name": "Inés", "phone": "+1 555 0199", "user_id": None}
        assert (order["status"], order["numbers"]) == ("PENDING_PAYMENT", ["01", "02"])

    def test_a_late_payment_can_be_decided_and_shows_what_is_lost(self) -> None:
        order_states.create_late_order(builders.create_raffle(numbers=20))

        data = build_payload(load_latest_event(EventType.ORDER_LATE_PAYMENT))["data"]
        assert (data["order"]["status"], data["order"]["needs_decision"]) == ("EXPIRED", True)
        assert data["order"]["numbers"] == ["01", "02", "03"]
        assert data["actions"] is not None

    def test_other_numbers_replace_the_old_ones(self) -> None:
        order = order_states.create_late_order(builders.create_raffle(numbers=20))
        late_payments.replace_numbers(order.pk, numbers=[7, 8, 9], pivot=0, **BY_STAFF_LATE)

        seen = load_latest_event(EventType.ORDER_PAID).data["order"]
        assert (seen["numbers"], seen["needs_decision"]) == (["07", "08", "09"], False)

    def test_a_sold_out_raffle_is_described(self) -> None:
        raffle = builders.create_raffle(numbers=2)
        sell_for_cash(raffle)

        event = load_latest_event(EventType.RAFFLE_SOLD_OUT)
        assert event.subject == "Summer Raffle"
        assert event.data["raffle"] == {
            "id": raffle.pk,
            "title": "Summer Raffle",
            "prize": "a motorbike",
            "sold": 2,
            "draw_at": DRAW.isoformat(),
        }

    def test_a_paid_order_names_its_confirmation_until_it_is_undone(self) -> None:
        order = order_states.create_paid_order(builders.create_raffle(numbers=20))
        confirmation = ledger_entries.load_confirmation(order)

        undo_confirmation(order)

        paid = load_latest_event(EventType.ORDER_PAID).data["order"]
        assert (paid["confirmation_id"], paid["refund"]) == (confirmation.pk, None)
        data = build_payload(load_latest_event(EventType.ORDER_UNCONFIRMED))["data"]
        assert (data["reason"], data["by"]["label"]) == ("Another buyer's money", "rita")
        assert (data["order"]["status"], data["order"]["confirmation_id"]) == (
            OrderStatus.PENDING_PAYMENT,
            None,
        )
        assert [proof["verdict"] for proof in data["order"]["proofs"]] == ["PENDING"]

    @pytest.mark.parametrize(("sealed", "status"), [(False, "CANCELLED"), (True, "PAID")])
    def test_a_refunded_order_has_its_refund(self, sealed: bool, status: str) -> None:
        raffle = builders.create_raffle(numbers=20)
        order = order_states.create_paid_order(raffle, numbers=[7])
        if sealed:
            Raffle.objects.update(status=RaffleStatus.SEALED)

        refund_order(order)

        data = build_payload(load_latest_event(EventType.ORDER_REFUNDED))["data"]
        assert (data["reason"], data["actions"]) == ("By bank transfer.", None)
        seen = data["order"]
        assert (seen["status"], seen["numbers"], seen["confirmation_id"]) == (status, ["07"], None)
        assert seen["refund"] == {
            "amount": "5.00",
            "currency": "USD",
            "reference": "SPEI 90412",
            "at": "2026-11-22T12:01:00+00:00",
        }

    def test_a_moved_draw_has_both_dates_and_says_why(self) -> None:
        raffle = builders.create_raffle(numbers=20)

        move_draw(raffle)

        event = load_latest_event(EventType.RAFFLE_DRAW_MOVED)
        assert (event.subject, event.order_id) == ("Summer Raffle", None)
        after = (DRAW + timedelta(days=7)).isoformat()
        assert build_payload(event)["data"] == {
            "raffle": {
                "id": raffle.pk,
                "title": "Summer Raffle",
                "prize": "a motorbike",
                "status": "OPEN",
                "draw_at": after,
                "draw_when_sold_out": False,
            },
            "draw": {"before": DRAW.isoformat(), "after": after},
            "reason": "The permit came late.",
            "by": {"kind": "staff", "label": "rita"},
        }

    def test_a_raffle_that_was_called_off_says_why_and_by_whom(self) -> None:
        call_off(builders.create_raffle(numbers=20))

        data = build_payload(load_latest_event(EventType.RAFFLE_CALLED_OFF))["data"]
        assert (data["raffle"]["status"], data["draw"]) == ("CANCELLED", None)
        assert (data["reason"], data["by"]["label"]) == ("The hall burned down.", "rita")


@pytest.mark.django_db
class TestProofs:
    def test_are_linked_for_a_week_and_known_by_their_bytes(self) -> None:
        raffle = builders.create_raffle(numbers=20)
        first = order_states.create_order_under_review(raffle, numbers=[1])
        second = order_states.create_order_under_review(raffle, numbers=[2])
        keep_file(first.proofs.get())
        alone = build_payload(load_latest_event(EventType.ORDER_PROOF_RECEIVED))
        keep_file(second.proofs.get())

        event = load_latest_event(EventType.ORDER_PROOF_RECEIVED)
        proof = second.proofs.get()
        seen = build_payload(event)["data"]["proof"]
        assert (event.order_id, event.proof_id) == (second.pk, proof.pk)
        assert (alone["data"]["proof"]["duplicate_of"], seen["duplicate_of"]) == (None, first.code)
        assert (seen["sha256"], seen["content_type"]) == (proof.sha256, "image/jpeg")
        assert seen["expires_at"] == "2026-11-29T12:00:00+00:00"
        address, signature = seen["url"].split("?signature=")
        assert address == f"{PUBLIC_URL}/api/proofs/{proof.pk}/file"
        assert signed_links.verify_proof_signature(signature, now=NOON) == proof.pk
        assert [one["status"] for one in event.data["order"]["proofs"]] == ["KEPT"]
        assert "signature" not in str(event.data)


def confirm_together(both: list[Order]) -> None:
    """Confirm two orders on two threads; the receipt chain lets one wait for the other."""
    run_at_once([partial(payments.confirm_payment, order.pk, **BY_STAFF) for order in both])


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.mark.parametrize("unseen", [False, True])
    def test_two_last_orders_paid_together_sell_a_raffle_out_once(self, unseen: bool) -> None:
        with transaction.atomic():
            raffle = builders.create_raffle(numbers=2)
            both = [order_states.create_placed_order(raffle, numbers=[number]) for number in (1, 2)]

        confirm_together(both)
        if unseen:  # as by payments of a former release, of which none sees the other's numbers
            Event.objects.filter(type=EventType.RAFFLE_SOLD_OUT).delete()

        numbered = [event.type for _ in range(3) for event in recorder.sequence_events(now=NOON)]

        assert sorted(numbered) == sorted(["order.created", "order.paid"] * 2 + ["raffle.sold_out"])

    def test_they_sell_it_out_once_more_after_both_were_undone(self) -> None:
        with transaction.atomic():
            raffle = builders.create_raffle(numbers=2)
            both = [order_states.create_paid_order(raffle, numbers=[number]) for number in (1, 2)]
        for order in both:
            undo_confirmation(order)

        confirm_together(both)
        for _ in range(3):
            recorder.sequence_events(now=NOON)

        assert list_event_types().count("raffle.sold_out") == 2

    def test_a_file_kept_while_its_buyer_names_the_order_is_told(self) -> None:
        builders.create_raffle(numbers=20)
        buyer = BuyerChat()
        order = buyer.buys(numbers="7 and 8")
        with transaction.atomic():
            proof = order_states.receive_orphan_proof(buyer.contact)

        def name_the_order() -> None:
            try:
                buyer.taps_id(
                    button_ids.build_button_id(button_ids.ButtonAction.PROOF, proof.pk, order.pk)
                )
            finally:
                connection.close()

        naming = threading.Thread(target=name_the_order)
        with transaction.atomic():
            proof_fetching.store_proof_file(
                proof.pk, content=b"receipt", content_type="image/jpeg", extension="jpg", now=NOON
            )
            naming.start()
            naming.join(0.3)
            assert naming.is_alive()  # it waits for the lock on the proof
        naming.join(10)

        assert list_event_types() == ["created", "proof_received"]
