"""Tests of the orders that follow their raffle: called off, its sale stopped, or its draw moved."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from django.db import OperationalError, transaction

from shared.core.enums import OrderAction, OrderStatus, OutboxStatus, RaffleAction
from shared.raffles.models import Order, Raffle, RaffleEvent, TicketNumber
from shared.raffles.services import lifecycle, orders
from shared.raffles.services.ticket_numbers import inventory
from shared.raffles.signals import order_changed
from shared.use_cases import raffle_changes
from shared.whatsapp.models import Alarm, OutboundMessage
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration import concurrency
from tests.integration.raffles import order_states

pytestmark = pytest.mark.django_db

SOON = NOON + 10 * MINUTE


@pytest.fixture
def raffle() -> Raffle:
    return builders.create_raffle(numbers=30, draw_at=NOON + 180 * MINUTE)


def call_off(raffle: Raffle) -> None:
    lifecycle.call_off(raffle.pk, reason="The storm.", by=build_staff_actor(), now=NOON)


def move_draw(raffle: Raffle, draw_at: datetime | None) -> None:
    lifecycle.move_draw(
        raffle.pk, draw_at=draw_at, reason="The rain.", by=build_staff_actor(), now=NOON
    )


def work_off_everything(limit: int = 100) -> int:
    return raffle_changes.continue_raffle_changes(now=NOON + MINUTE, limit=limit)


def list_message_keys(order: Order) -> list[str]:
    return list(OutboundMessage.objects.filter(about=order.code).values_list("key", flat=True))


def load_open_events() -> list[RaffleEvent]:
    return list(RaffleEvent.objects.filter(unfinished=True))


@pytest.fixture
def break_order() -> Iterator[list[tuple[int, Exception]]]:
    """Raise the exceptions of this list, once each, when the order with the id changes."""
    broken: list[tuple[int, Exception]] = []

    def fail(order: Order, **_: Any) -> None:
        for place, (order_id, error) in enumerate(broken):
            if order_id == order.pk:
                del broken[place]
                raise error

    order_changed.connect(fail)
    yield broken
    order_changed.disconnect(fail)


class TestCalledOff:
    @pytest.mark.parametrize(
        ("status", "after", "keys"),
        [
            (OrderStatus.DRAFT, (OrderStatus.CANCELLED, False), ["called_off"]),
            (OrderStatus.PENDING_PAYMENT, (OrderStatus.CANCELLED, False), ["called_off"]),
            (OrderStatus.PAID, (OrderStatus.PAID, False), ["called_off"]),
            (OrderStatus.CANCELLED, (OrderStatus.CANCELLED, False), []),
            (OrderStatus.EXPIRED, (OrderStatus.EXPIRED, False), []),
        ],
    )
    def test_each_order_ends_but_a_paid_one_that_waits_for_its_refund(
        self,
        raffle: Raffle,
        status: OrderStatus,
        after: tuple[OrderStatus, bool],
        keys: list[str],
    ) -> None:
        order = order_states.create_order_in_status(raffle, status)
        call_off(raffle)

        worked_off = work_off_everything()

        order = order_states.reload_order(order)
        assert worked_off == 1
        assert (order.status, order.needs_decision) == after
        assert list_message_keys(order) == keys
        assert load_open_events() == []
        assert inventory.find_inventory_problems() == []

    def test_an_order_under_review_ends_and_its_money_goes_back(self, raffle: Raffle) -> None:
        order = order_states.create_order_under_review(raffle)
        call_off(raffle)

        work_off_everything()

        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.CANCELLED, True)
        assert order_states.list_actions(order)[-2:] == [
            OrderAction.CANCELLED,
            OrderAction.LATE_PAYMENT,
        ]
        assert not TicketNumber.objects.exclude(status="AVAILABLE").exists()

    def test_a_late_payment_still_waits_for_its_refund(self, raffle: Raffle) -> None:
        late = order_states.create_late_order(raffle)
        call_off(raffle)

        work_off_everything()

        late = order_states.reload_order(late)
        assert (late.status, late.needs_decision) == (OrderStatus.EXPIRED, True)
        assert list_message_keys(late) == ["called_off"]

    def test_a_receipt_that_comes_before_the_order_ended_is_flagged_for_a_refund(
        self, raffle: Raffle
    ) -> None:
        order = order_states.create_placed_order(raffle)
        call_off(raffle)

        order_states.receive_proof(order_states.reload_order(order))
        work_off_everything()

        order = order_states.reload_order(order)
        assert (order.status, order.needs_decision) == (OrderStatus.CANCELLED, True)


class TestProgress:
    def test_each_call_continues_where_the_last_one_ended(self, raffle: Raffle) -> None:
        made = [order_states.create_held_order(raffle, numbers=[n]) for n in range(1, 6)]
        call_off(raffle)

        counts = [work_off_everything(limit=2) for _ in range(4)]

        assert counts == [2, 2, 1, 0]
        assert load_open_events() == []
        assert [len(list_message_keys(order)) for order in made] == [1] * 5

    def test_a_call_that_failed_in_the_middle_is_continued_and_tells_nobody_twice(
        self, raffle: Raffle, break_order: list[tuple[int, Exception]]
    ) -> None:
        made = [order_states.create_held_order(raffle, numbers=[n]) for n in range(1, 6)]
        call_off(raffle)
        break_order.append((made[2].pk, OperationalError("the connection is lost")))

        with pytest.raises(OperationalError):
            work_off_everything()
        finished = [order_states.reload_order(order).status for order in made]
        work_off_everything()

        assert finished == ["CANCELLED", "CANCELLED", "DRAFT", "DRAFT", "DRAFT"]
        assert [len(list_message_keys(order)) for order in made] == [1] * 5
        assert load_open_events() == []

    def test_an_order_that_fails_sounds_an_alarm_and_the_others_follow(
        self, raffle: Raffle, break_order: list[tuple[int, Exception]]
    ) -> None:
        made = [order_states.create_held_order(raffle, numbers=[n]) for n in range(1, 6)]
        call_off(raffle)
        break_order.append((made[2].pk, ValueError("it is broken")))

        work_off_everything()

        statuses = [order_states.reload_order(order).status for order in made]
        assert statuses == ["CANCELLED", "CANCELLED", "DRAFT", "CANCELLED", "CANCELLED"]
        assert load_open_events() == []
        assert Alarm.objects.filter(key=f"raffle_change_failed:{made[2].pk}").exists()

    @pytest.mark.django_db(transaction=True)
    def test_two_processes_at_once_tell_each_buyer_once(self, raffle: Raffle) -> None:
        with transaction.atomic():
            made = [order_states.create_held_order(raffle, numbers=[n]) for n in range(1, 21)]
        call_off(raffle)

        concurrency.repeat_at_once(2, lambda _: work_off_everything(limit=7))
        while load_open_events():
            work_off_everything(limit=7)

        assert [len(list_message_keys(order)) for order in made] == [1] * 20
        assert not Order.objects.exclude(status=OrderStatus.CANCELLED).exists()
        assert inventory.find_inventory_problems() == []


STOPS: Final = {"paused": lifecycle.pause, "closed": lifecycle.close}


def list_texts(order: Order) -> list[str]:
    messages = OutboundMessage.objects.filter(about=order.code, key="sale_stopped")
    return [json.dumps(payload) for payload in messages.values_list("payload", flat=True)]


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
class TestStoppedSale:
    def test_who_holds_or_owes_is_told_that_the_numbers_stay(
        self, raffle: Raffle, stop: Callable[..., Raffle]
    ) -> None:
        held = order_states.create_held_order(raffle, numbers=[1])
        owed = order_states.create_placed_order(raffle, numbers=[2])
        checked = order_states.create_order_under_review(raffle, numbers=[3])
        stop(raffle.pk, by=build_staff_actor(), now=NOON)

        work_off_everything()

        said = [" ".join(list_texts(order)) for order in (held, owed, checked)]
        words = ("you can confirm until", "if you pay $5.00", "while we check order")
        assert [word in text for word, text in zip(words, said, strict=True)] == [True] * 3
        assert load_open_events() == []

    def test_a_buyer_of_several_orders_is_told_once_of_all(
        self, raffle: Raffle, stop: Callable[..., Raffle]
    ) -> None:
        buyer = builders.create_contact()
        first = order_states.create_order_under_review(raffle, numbers=[1], contact=buyer)
        second = order_states.create_held_order(raffle, numbers=[2], contact=buyer)
        stop(raffle.pk, by=build_staff_actor(), now=NOON)

        work_off_everything()

        assert list_texts(first) == []
        assert len(list_texts(second)) == 1
        assert str(first) in list_texts(second)[0]

    def test_nobody_else_is_told(self, raffle: Raffle, stop: Callable[..., Raffle]) -> None:
        away = builders.create_contact(last_inbound_at=NOON - timedelta(days=2))
        order_states.create_paid_order(raffle, numbers=[1])
        order_states.create_held_order(raffle, numbers=[2], contact=away)
        ended = order_states.create_held_order(raffle, numbers=[3])
        orders.cancel(ended, by=build_staff_actor(), now=NOON)
        stop(raffle.pk, by=build_staff_actor(), now=NOON)

        work_off_everything()

        assert not OutboundMessage.objects.filter(key="sale_stopped").exists()
        assert load_open_events() == []


def test_who_wrote_stop_is_not_told(raffle: Raffle) -> None:
    order = order_states.create_held_order(
        raffle, contact=builders.create_contact(stopped_at=NOON - MINUTE)
    )
    lifecycle.pause(raffle.pk, by=build_staff_actor(), now=NOON)

    work_off_everything()

    assert list_texts(order) == []


@pytest.mark.parametrize("status", [OutboxStatus.QUEUED, OutboxStatus.WITHHELD])
def test_what_was_not_sent_of_a_pause_is_withdrawn_when_it_ends(
    raffle: Raffle, status: OutboxStatus
) -> None:
    order_states.create_held_order(raffle, numbers=[1])
    other = order_states.create_held_order(raffle, numbers=[2])
    lifecycle.pause(raffle.pk, by=build_staff_actor(), now=NOON)
    work_off_everything()
    OutboundMessage.objects.update(status=status)
    OutboundMessage.objects.filter(about=other.code).update(status=OutboxStatus.SENT)
    lifecycle.open_raffle(raffle.pk, by=build_staff_actor(), now=NOON)

    work_off_everything()

    statuses = OutboundMessage.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == [OutboxStatus.STALE, OutboxStatus.SENT]
    assert load_open_events() == []


def test_nobody_is_told_that_a_number_stays_once_the_draw_is_due(raffle: Raffle) -> None:
    order = order_states.create_held_order(raffle)
    lifecycle.close(raffle.pk, by=build_staff_actor(), now=NOON)

    raffle_changes.continue_raffle_changes(now=NOON + 180 * MINUTE)

    assert list_texts(order) == []


def test_a_pause_that_ended_at_once_is_not_told(raffle: Raffle) -> None:
    order = order_states.create_held_order(raffle)
    lifecycle.pause(raffle.pk, by=build_staff_actor(), now=NOON)
    lifecycle.open_raffle(raffle.pk, by=build_staff_actor(), now=NOON)

    work_off_everything()

    assert list_texts(order) == []


class TestDrawMoved:
    def test_a_buyer_of_several_orders_is_told_once(self, raffle: Raffle) -> None:
        buyer = builders.create_contact()
        first = order_states.create_paid_order(raffle, numbers=[1], contact=buyer)
        second = order_states.create_paid_order(raffle, numbers=[2], contact=buyer)
        other = order_states.create_order_under_review(raffle, numbers=[3])
        move_draw(raffle, NOON + 240 * MINUTE)

        work_off_everything()

        assert [list_message_keys(order) for order in (first, second, other)] == [
            [],
            ["draw_moved"],
            ["draw_moved"],
        ]

    def test_ended_orders_are_not_told(self, raffle: Raffle) -> None:
        ended = order_states.create_cancelled_order(raffle)
        move_draw(raffle, NOON + 240 * MINUTE)

        work_off_everything()

        assert list_message_keys(ended) == []

    def test_no_deadline_stays_after_a_draw_that_was_moved_forward(self, raffle: Raffle) -> None:
        order = order_states.create_placed_order(raffle)
        move_draw(raffle, SOON)

        work_off_everything()

        assert order_states.reload_order(order).expires_at == SOON

    def test_a_draw_that_moved_twice_is_told_as_it_is_now(self, raffle: Raffle) -> None:
        order = order_states.create_paid_order(raffle)
        move_draw(raffle, NOON + 240 * MINUTE)
        move_draw(raffle, NOON + 300 * MINUTE)

        work_off_everything()

        assert list_message_keys(order) == ["draw_moved"]
        assert load_open_events() == []

    def test_a_moved_draw_is_not_told_once_the_raffle_was_called_off(self, raffle: Raffle) -> None:
        order = order_states.create_paid_order(raffle)
        move_draw(raffle, NOON + 240 * MINUTE)
        call_off(raffle)

        work_off_everything()

        assert list_message_keys(order) == ["called_off"]

    def test_an_order_made_after_the_move_is_not_told(self, raffle: Raffle) -> None:
        move_draw(raffle, NOON + 240 * MINUTE)
        order = order_states.create_held_order(raffle)
        Order.objects.filter(pk=order.pk).update(created_at=NOON + MINUTE)

        work_off_everything()

        assert list_message_keys(order) == []

    def test_orders_of_other_raffles_do_not_follow(self, raffle: Raffle) -> None:
        other = order_states.create_paid_order(builders.create_raffle(numbers=5))
        move_draw(raffle, NOON + 240 * MINUTE)

        work_off_everything()

        assert list_message_keys(other) == []
        assert RaffleEvent.objects.latest("pk").action == RaffleAction.DRAW_MOVED
        assert not RaffleEvent.objects.filter(unfinished=True).exists()
