"""Tests of a buyer's own orders in menus: what they hold, owe, own, and wait for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from shared.conversation import flow
from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.conversation_events import ButtonTapped, TextReceived
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.values import PlaceOrder, Reply
from shared.core.enums import State
from shared.whatsapp import messages
from tests import meta_limits
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    WINTER,
    build_facts,
    build_order,
)
from tests.unit.conversation.test_text_limits import LONG_ORDER, LONG_RAFFLE

OTHER_HOLD: Final = replace(DRAFT, id=11, code="R-0THER", raffle=WINTER, numbers=(21,))
LATE: Final = replace(EXPIRED, needs_decision=True, has_receipt=True)
DECISION: Final = "Ana, +1 555 0100 will decide with you what to do."


def show_menu(*orders: OrderFacts, raffles: tuple[RaffleFacts, ...] = (SUMMER,)) -> Reply:
    facts = build_facts(*orders, raffles=raffles)
    (reply,) = flow.step(State.MENU, Context(), TextReceived("MENU"), facts).replies
    return reply


def list_titles(reply: Reply) -> list[str]:
    return [*(button.title for button in reply.buttons), *(row.title for row in reply.rows)]


class TestHeldNumbers:
    def test_can_be_confirmed_on_the_card(self) -> None:
        reply = show_menu(DRAFT)

        assert list_titles(reply) == ["Confirm R-7K3F9", "Random numbers", "Pick my numbers"]
        assert "Held for you until 12:30 (30 minutes left): *007 · 213 · 845*" in reply.body

    def test_are_placed_by_the_button(self) -> None:
        tap = ButtonTapped(show_menu(DRAFT).buttons[0].id)

        step = flow.step(State.MENU, Context(), tap, build_facts(DRAFT))

        assert step.effect == PlaceOrder(DRAFT.id)

    def test_can_be_confirmed_on_the_card_of_a_raffle_that_has_sold_out(self) -> None:
        sold_out = replace(SUMMER, available=0)

        reply = show_menu(replace(DRAFT, raffle=sold_out), raffles=(sold_out,))

        assert list_titles(reply) == ["Confirm R-7K3F9", "My tickets"]

    def test_of_several_raffles_can_each_be_confirmed(self) -> None:
        card, listed = (
            show_menu(DRAFT, OTHER_HOLD, raffles=raffles)
            for raffles in ((SUMMER,), (SUMMER, WINTER))
        )

        confirm = ["Confirm R-0THER", "Confirm R-7K3F9"]
        assert list_titles(card) == [*confirm, "Random numbers", "Pick my numbers", "My tickets"]
        assert list_titles(listed) == [*confirm, "Summer Raffle", "Winter Raffle"]
        assert "Held for you in *Winter Raffle* until" in card.body
        assert "*Confirm or choose*" in listed.body

    def test_leave_every_raffle_of_a_long_list_within_reach(self) -> None:
        many = tuple(replace(SUMMER, id=place, title=f"No. {place}") for place in range(1, 31))
        facts = build_facts(DRAFT, OTHER_HOLD, raffles=many)
        titles: set[str] = set()

        for page in range(5):
            tap = ButtonTapped(build_button_id(ButtonAction.PAGE, page))
            (reply,) = flow.step(State.MENU, Context(), tap, facts).replies
            titles |= set(list_titles(reply))

        assert {raffle.title for raffle in many} <= titles

    def test_are_not_offered_once_their_time_is_over(self) -> None:
        reply = show_menu(replace(DRAFT, expires_at=NOON))

        assert list_titles(reply) == ["Random numbers", "Pick my numbers", "My tickets"]
        assert "Held" not in reply.body


class TestNothingOnSale:
    def test_an_unpaid_order_is_shown_with_how_to_pay_it_until_when(self) -> None:
        reply = show_menu(PENDING, raffles=())

        assert "please pay $15.00 by 12:30 (30 minutes left)\nBank of Example" in reply.body
        assert "come back" not in reply.body

    def test_several_unpaid_orders_are_named_with_their_deadlines(self) -> None:
        other = build_order(id=12, code="R-0THER", raffle=WINTER)

        reply = show_menu(PENDING, other, raffles=())

        assert reply.body.count("waits for $15.00 until 12:30 (30 minutes left)") == 2
        assert list_titles(reply) == ["Pay R-7K3F9", "My tickets"]

    def test_paid_numbers_are_shown_with_their_draw(self) -> None:
        reply = show_menu(PAID, raffles=())

        assert (
            "*Summer Raffle*: *007 · 213 · 845* are yours. Draw: Sat 12 Dec, 20:00." in reply.body
        )

    def test_a_hold_can_be_confirmed(self) -> None:
        assert list_titles(show_menu(DRAFT, raffles=())) == ["Confirm R-7K3F9", "My tickets"]

    def test_a_stranger_is_asked_to_come_back(self) -> None:
        assert "Please come back soon." in show_menu(raffles=()).body

    @pytest.mark.parametrize("count", [1, 3, 9])
    def test_it_stays_within_the_limits(self, count: int) -> None:
        raffle = replace(LONG_RAFFLE, payment_instructions="p" * 700, description="d" * 400)
        sample: Sequence[OrderFacts] = (DRAFT, PENDING, REVIEWED, PAID, LATE)
        for raffles in ((), (raffle,), (raffle, WINTER)):
            for order in sample:
                orders = [
                    replace(
                        order,
                        id=place,
                        code=f"R-ZZZZZZZ{place:03}",
                        raffle=raffle,
                        numbers=LONG_ORDER.numbers,
                    )
                    for place in range(count)
                ]

                reply = show_menu(*orders, raffles=raffles)

                message = reply.to_whatsapp_message()
                assert meta_limits.find_message_faults(message) == []
                assert reply.body in messages.render_preview(message)


class TestLatePayment:
    @pytest.mark.parametrize("order", [LATE, replace(CANCELLED, needs_decision=True)])
    @pytest.mark.parametrize(
        "text", ["my tickets", "R-7K3F9", "thanks", "MENU", "did you get my payment?", "i paid"]
    )
    @pytest.mark.parametrize("raffles", [(SUMMER,), (SUMMER, WINTER), ()])
    def test_waits_for_a_decision_wherever_its_buyer_looks(
        self, order: OrderFacts, text: str, raffles: tuple[RaffleFacts, ...]
    ) -> None:
        facts = build_facts(order, raffles=raffles)
        context = Context(raffle_id=1, draft_order_id=order.id)

        step = flow.step(State.DONE, context, TextReceived(text), facts)

        (reply,) = step.replies
        assert reply.body.count(DECISION) == 1, reply.body
        assert step.effect is None


class TestRafflesOfOneTitle:
    def test_are_told_apart_by_their_draws(self) -> None:
        first = replace(SUMMER, draw_at=NOON)
        second = replace(SUMMER, id=77, title="summer raffle", draw_at=NOON + timedelta(days=7))

        rows = show_menu(raffles=(first, second, WINTER)).rows

        draws = [row.description.split(" · ")[0] for row in rows]
        assert draws[:2] == ["draw Sun 22 Nov, 12:00", "draw Sun 29 Nov, 12:00"]
        assert draws[2].startswith("$")

    @pytest.mark.parametrize("draw_at", [None, NOON])
    def test_are_told_apart_by_their_ids_if_the_draws_are_the_same(
        self, draw_at: datetime | None
    ) -> None:
        first = replace(SUMMER, title="The great summer raffle of 2026", draw_at=draw_at)
        second = replace(first, id=77, title="The great summer raffle of 2027")

        rows = show_menu(raffles=(first, second)).rows

        marks = [row.description.split(" · ")[0] for row in rows]
        assert marks == [f"raffle {first.id}", "raffle 77"]
