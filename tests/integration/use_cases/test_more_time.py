"""Tests of more time for an order, and of notes about it."""

from collections.abc import Callable

import pytest

from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import OrderAction, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles.errors import (
    EnoughTimeLeft,
    NoteEmpty,
    NoteTooLong,
    NoTimeAfterDraw,
    OrderAlreadyPaid,
    OrderEnded,
    OrderNotFound,
    OrderUnderReview,
    RaffleCalledOff,
    RaffleSealed,
)
from shared.raffles.models import Order, OrderEvent, Raffle
from shared.use_cases import order_deadlines, order_endings, order_notes, payments
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.conversation import chat
from tests.integration.conversation.chat import BuyerChat
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("check_inventory_after")]


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=20)


def give_time(order: Order, *, minutes: int) -> Order:
    return order_deadlines.give_more_time(
        order.pk, by=build_staff_actor(), now=NOON + minutes * MINUTE
    )


def confirm(order: Order) -> None:
    payments.confirm_payment(order.pk, by=build_staff_actor(), now=NOON)


def end(order: Order) -> None:
    order_endings.cancel_order(order.pk, by=build_staff_actor(), now=NOON)


def set_raffle(**fields: object) -> None:
    Raffle.objects.update(**fields)


class TestMoreTime:
    def test_starts_the_time_to_pay_anew_and_tells_the_buyer(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        order = buyer.buys()

        order = give_time(order, minutes=20)

        assert order.expires_at == NOON + 50 * MINUTE
        event = OrderEvent.objects.get(order=order, action=OrderAction.TIME_GIVEN)
        assert (event.actor_label, event.at) == ("rita", NOON + 20 * MINUTE)
        message = buyer.list_messages()[-1]
        assert (message.key, message.kind, message.about) == ("more_time", "NOTICE", order.code)
        assert chat.render_body(message).startswith(
            f"You have more time.\n\nOrder *{order.code}* waits for a photo or PDF of your "
            "receipt: $15.00 by 12:50 (30 minutes left)."
        )

    def test_holds_unconfirmed_numbers_longer(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        buyer.says("hi")
        buyer.says("3 random")
        order = buyer.order()

        give_time(order, minutes=20)

        told = chat.render_body(buyer.list_messages()[-1])
        assert told.startswith(
            "You have more time.\n\nHeld for you until 12:50 (30 minutes left):\n*"
        )

    def test_never_goes_beyond_the_draw(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        Raffle.objects.update(draw_at=NOON + 40 * MINUTE)

        assert give_time(order, minutes=20).expires_at == NOON + 40 * MINUTE
        with pytest.raises(EnoughTimeLeft):
            give_time(order, minutes=21)

    def test_is_refused_if_the_deadline_would_be_the_same_minute(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        with pytest.raises(EnoughTimeLeft) as refused:
            give_time(order, minutes=0)

        assert refused.value.details == {"expires_at": NOON + 30 * MINUTE}

    def test_leaves_the_one_extension_for_a_receipt(self, raffle: Raffle) -> None:
        buyer = BuyerChat()
        order = buyer.buys()
        give_time(order, minutes=10)

        assert order_states.list_actions(order)[-1] == OrderAction.TIME_GIVEN
        assert OrderAction.TIME_EXTENDED not in order_states.list_actions(order)

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            (confirm, OrderAlreadyPaid),
            (order_states.receive_proof, OrderUnderReview),
            (end, OrderEnded),
            (lambda order: set_raffle(status=RaffleStatus.SEALED), RaffleSealed),
            (lambda order: set_raffle(status=RaffleStatus.CANCELLED), RaffleCalledOff),
            (lambda order: set_raffle(draw_at=NOON + 5 * MINUTE), NoTimeAfterDraw),
        ],
        ids=["paid", "under review", "ended", "sealed", "called off", "draw due"],
    )
    def test_is_refused_if_no_clock_runs_or_it_is_too_late(
        self,
        raffle: Raffle,
        change: Callable[[Order], object],
        refusal: type[DomainError],
    ) -> None:
        order = order_states.create_placed_order(raffle)
        change(order)
        before = order_states.reload_order(order).expires_at

        with pytest.raises(refusal):
            give_time(order, minutes=10)

        assert order_states.reload_order(order).expires_at == before
        set_raffle(status=RaffleStatus.OPEN)  # for the check of the inventory

    def test_is_refused_for_an_unknown_order(self, raffle: Raffle) -> None:
        with pytest.raises(OrderNotFound):
            order_deadlines.give_more_time(99, by=build_staff_actor(), now=NOON)


class TestNotes:
    @pytest.mark.parametrize("paid", [False, True])
    def test_stand_in_the_history_and_change_nothing(self, raffle: Raffle, paid: bool) -> None:
        buyer = BuyerChat()
        order = buyer.buys()
        if paid:
            confirm(order)
        before, told = order_states.reload_order(order), len(buyer.list_messages())

        order_notes.add_order_note(
            order.pk, note="  Will pay on Friday \n", by=build_staff_actor(), now=NOON
        )

        event = OrderEvent.objects.get(order=order, action=OrderAction.NOTE_ADDED)
        assert (event.reason, event.actor_label) == ("Will pay on Friday", "rita")
        assert (event.from_status, event.to_status) == (before.status, before.status)
        assert order_states.reload_order(order).expires_at == before.expires_at
        assert len(buyer.list_messages()) == told

    def test_are_added_once_though_their_form_is_sent_twice(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)

        for note, at in [("Called", 0), (" Called", 1), ("Called again", 1), ("Called again", 3)]:
            order_notes.add_order_note(
                order.pk, note=note, by=build_staff_actor(), now=NOON + at * MINUTE
            )

        notes = order.events.filter(action=OrderAction.NOTE_ADDED).order_by("pk")
        assert [each.reason for each in notes] == ["Called", "Called again", "Called again"]

    @pytest.mark.parametrize(
        ("note", "refusal"), [(" \n ", NoteEmpty), ("x" * (MAX_NOTE_LENGTH + 1), NoteTooLong)]
    )
    def test_need_words_and_are_bounded(
        self, raffle: Raffle, note: str, refusal: type[DomainError]
    ) -> None:
        order = order_states.create_placed_order(raffle)

        with pytest.raises(refusal):
            order_notes.add_order_note(order.pk, note=note, by=build_staff_actor(), now=NOON)
