"""Every number a buyer owns can be read in *My tickets*."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts.my_tickets import build_my_tickets_message
from shared.conversation.values import ButtonTapped, Reply, TextReceived
from shared.core.enums import OrderStatus, State
from shared.whatsapp import messages
from tests import meta_limits
from tests.unit.conversation.sample_facts import NOON, PAID, build_facts, build_order
from tests.unit.conversation.test_text_limits import LONG_RAFFLE


def turn_pages(orders: Sequence[OrderFacts]) -> list[Reply]:
    """Return all pages of the list, by tapping "Next page" until the first comes again."""
    known = build_facts(*orders)
    step = flow.step(State.MENU, Context(), TextReceived("my tickets"), known)
    pages = [step.replies[0]]
    while pages[-1].rows and pages[-1].rows[0].title == "Next page":
        tap = ButtonTapped(pages[-1].rows[0].id)
        (page,) = flow.step(State.MENU, Context(), tap, known).replies
        if page == pages[0]:
            break
        pages.append(page)
    return pages


def build_paid(order_id: int, *, numbers: Sequence[int]) -> OrderFacts:
    return build_order(
        id=order_id,
        code=f"R-{order_id:05}",
        status=OrderStatus.PAID,
        expires_at=None,
        raffle=LONG_RAFFLE,
        numbers=tuple(numbers),
        receipt_entry=9_999_000 + order_id,
        receipt_head="9f3a12c8",
    )


@pytest.mark.parametrize("count", [1, 70, 100, 199, 200, 201, 1_000])
def test_an_order_names_every_number(count: int) -> None:
    numbers = range(1_000_000, 1_000_000 + 2 * count, 2)

    pages = turn_pages([build_paid(1, numbers=numbers)])

    shown = "".join(page.body for page in pages)
    assert all(str(number) in shown for number in numbers)
    assert "more (see" not in shown


def test_many_orders_take_several_pages_that_meta_accepts_whole() -> None:
    orders = [
        build_paid(place, numbers=range(place * 1_000, place * 1_000 + 140, 2))
        for place in range(1, 41)
    ]

    pages = turn_pages(orders)

    shown = "".join(page.body for page in pages)
    assert len(pages) > 1
    assert all(order.code in shown for order in orders)
    assert all(f"Entry {order.receipt_entry} · 9f3a 12c8" in shown for order in orders)
    assert all(f"{number:07}" in shown for order in orders for number in order.numbers)
    for page in pages:
        message = page.to_whatsapp_message()
        assert meta_limits.find_message_faults(message) == []
        assert page.body in messages.render_preview(message)


def test_a_short_list_has_buttons_and_no_pages() -> None:
    reply = build_my_tickets_message([PAID], now=NOON, page=7)

    assert [button.title for button in reply.buttons] == ["Buy more"]
    assert reply.rows == ()


def test_a_long_list_keeps_the_buttons_as_rows() -> None:
    waiting = build_order(id=99, code="R-LATER")
    reply = build_my_tickets_message([build_paid(1, numbers=range(0, 600, 2)), waiting], now=NOON)

    assert [row.title for row in reply.rows] == ["Pay R-LATER", "Menu"]


def test_live_and_paid_orders_come_before_ended_ones() -> None:
    ended = [
        replace(PAID, id=place, code=f"R-END{place}", status=status)
        for place, status in enumerate((OrderStatus.CANCELLED, OrderStatus.EXPIRED), 20)
    ]
    reply = build_my_tickets_message(
        [replace(PAID, id=1, code="R-PAID1"), build_order(id=2, code="R-LIVE2"), *ended], now=NOON
    )

    codes = [line.split(" · ")[1] for line in reply.body.split("\n") if line.startswith("*")]
    assert codes == ["R-LIVE2", "R-PAID1", "R-END21", "R-END20"]
