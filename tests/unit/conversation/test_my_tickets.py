"""Every number a buyer owns can be read in *My tickets*."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.conversation_events import ButtonTapped, TextReceived
from shared.conversation.facts.values import OrderFacts
from shared.conversation.texts.my_tickets import build_my_tickets_message
from shared.conversation.values import Reply
from shared.core.enums import OrderStatus, State
from shared.whatsapp import messages
from tests import meta_limits
from tests.unit.conversation import ticket_lists
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    NOON,
    PAID,
    build_facts,
    build_order,
)
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


def list_shown_numbers(pages: Sequence[Reply]) -> set[int]:
    """Return all ticket numbers on the pages, which stand on lines of their own."""
    lines = (line for page in pages for line in page.body.split("\n"))
    listed = (line for line in lines if re.fullmatch(r"[\d · –]+", line))
    return {number for line in listed for number in ticket_lists.parse_listed_numbers(line)}


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

    assert list_shown_numbers(pages) == set(numbers)
    assert all("My tickets" not in page.body for page in pages)


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
    assert list_shown_numbers(pages) == {n for order in orders for n in order.numbers}
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


@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from([OrderStatus.DRAFT, OrderStatus.PENDING_PAYMENT, OrderStatus.PAID]),
            st.one_of(
                st.sets(st.integers(0, 9_999_998), min_size=1, max_size=30),
                st.builds(
                    lambda first, step, count: set(range(first, first + step * count, step)),
                    st.integers(0, 9_000_000),
                    st.integers(1, 3),
                    st.integers(1, 900),
                ),
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_number_of_every_live_or_paid_order_is_reached_in_a_few_taps(
    orders: list[tuple[OrderStatus, set[int]]],
) -> None:
    owned = [
        replace(build_paid(place, numbers=sorted(numbers)), status=status)
        for place, (status, numbers) in enumerate(orders, 1)
    ]

    pages = turn_pages(owned)

    assert list_shown_numbers(pages) == set().union(*(numbers for _, numbers in orders))
    characters = sum(len(order.numbers) * (order.raffle.width + 3) + 600 for order in owned)
    assert len(pages) <= 1 + characters // 3_000
    for page in pages:
        assert meta_limits.find_message_faults(page.to_whatsapp_message()) == []
        assert page.body in messages.render_preview(page.to_whatsapp_message())


def list_codes(*orders: OrderFacts) -> list[str]:
    body = build_my_tickets_message(orders, now=NOON).body
    return [line.split(" · ")[1] for line in body.split("\n") if line.startswith("*")]


def test_live_orders_come_before_paid_ones_before_ended_ones_the_newest_first() -> None:
    found = [
        replace(EXPIRED, id=1, code="R-END01"),
        replace(CANCELLED, id=2, code="R-END02", needs_decision=True),
        build_order(id=3, code="R-LIVE3"),
        replace(DRAFT, id=4, code="R-LIVE4"),
        replace(PAID, id=5, code="R-PAID5"),
        replace(PAID, id=6, code="R-PAID6"),
    ]

    assert list_codes(*found) == ["R-LIVE4", "R-LIVE3", "R-PAID6", "R-PAID5", "R-END02", "R-END01"]


LONG_AGO = NOON - timedelta(days=2)


@pytest.mark.parametrize(
    ("order", "is_listed"),
    [
        (CANCELLED, False),
        (replace(CANCELLED, was_placed=False), False),
        (replace(CANCELLED, needs_decision=True), True),
        (EXPIRED, True),
        (replace(EXPIRED, was_placed=False), False),
        (replace(EXPIRED, expires_at=LONG_AGO), False),
        (replace(EXPIRED, expires_at=LONG_AGO, has_receipt=True), True),
        (replace(EXPIRED, expires_at=LONG_AGO, needs_decision=True), True),
    ],
)
def test_an_order_that_ended_is_listed_if_money_may_be_under_way(
    order: OrderFacts, is_listed: bool
) -> None:
    assert list_codes(order) == (["R-7K3F9"] if is_listed else [])


def test_nobody_is_told_of_numbers_that_they_do_not_have() -> None:
    reply = build_my_tickets_message([CANCELLED], now=NOON)

    assert reply.body == "You have no numbers at the moment."
    assert [button.title for button in reply.buttons] == ["Menu"]


def test_a_hold_whose_time_is_over_offers_no_confirmation() -> None:
    over = replace(DRAFT, expires_at=NOON)

    assert [b.title for b in build_my_tickets_message([over], now=NOON).buttons] == ["Buy more"]
