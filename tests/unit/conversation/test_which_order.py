"""Every order can be chosen when a buyer is asked which one is meant."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    ConversationEvent,
    ProofWithoutOrder,
    TextReceived,
)
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.values import Reply
from shared.core.enums import State, UnplacedReason
from tests import meta_limits
from tests.unit.conversation.sample_facts import SUMMER, build_facts, build_order

QUESTIONS: Final[Mapping[str, ConversationEvent]] = {
    "which_order": ProofWithoutOrder(77, UnplacedReason.SEVERAL_ORDERS, tuple(range(1, 40))),
    "pay_which": TextReceived("how do i pay?"),
    "cancel_which": TextReceived("cancel"),
}


def build_orders(count: int) -> list[OrderFacts]:
    return [
        build_order(id=place, code=f"R-{place:05}", raffle=replace(SUMMER, id=place))
        for place in range(1, count + 1)
    ]


def turn_pages(event: ConversationEvent, facts: Facts) -> list[Reply]:
    """Return the question and its further pages, until the first comes again."""
    step = flow.step(State.MENU, Context(), event, facts)
    pages = list(step.replies)
    while True:
        turn = [row for row in pages[-1].rows if row.title == "More orders …"]
        if not turn:
            return pages
        step = flow.step(step.state, step.context, ButtonTapped(turn[0].id), facts)
        if step.replies[0] == pages[0]:
            return pages
        pages += step.replies


@pytest.mark.parametrize("count", [2, 3, 4, 9, 10, 11, 25])
@pytest.mark.parametrize("key", QUESTIONS)
def test_offers_every_order(key: str, count: int) -> None:
    found = build_orders(count)

    pages = turn_pages(QUESTIONS[key], build_facts(*found))

    titles = [
        *(button.title for page in pages for button in page.buttons),
        *(row.title for page in pages for row in page.rows),
    ]
    assert {order.code for order in found} <= {title.split()[0] for title in titles}
    assert {page.key for page in pages} == {key}
    for page in pages:
        assert meta_limits.find_message_faults(page.to_whatsapp_message()) == []


def test_a_page_of_a_question_that_is_not_open_any_more_is_explained() -> None:
    facts = build_facts(*build_orders(12))
    (first, *_) = turn_pages(QUESTIONS["which_order"], facts)

    step = flow.step(State.MENU, Context(), ButtonTapped(first.rows[-1].id), facts)

    assert "older message" in step.replies[0].body


def test_the_question_stays_open_on_each_page_for_a_written_answer() -> None:
    facts = build_facts(*build_orders(12))
    asked = flow.step(State.MENU, Context(), QUESTIONS["which_order"], facts)

    turned = flow.step(
        asked.state, asked.context, ButtonTapped(asked.replies[0].rows[-1].id), facts
    )

    assert turned.context == asked.context
