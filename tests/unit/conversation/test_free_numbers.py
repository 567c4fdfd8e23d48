"""Tests of the answers to "which are free?", "3 odd ones" and "are 7 and 13 free?"."""

from dataclasses import replace
from typing import Any

import pytest

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.conversation_events import FreeNumbersFound, NumbersChecked
from shared.conversation.facts.values import Facts
from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Parity, Part
from shared.conversation.values import Step
from shared.core.enums import Mode, State
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    FACTS_BY_STATE,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    build_facts,
)

SEVENS = tuple(range(7, 140, 10))
"""14 numbers, more than are shown."""


def show(
    outcome: FreeNumbersFound | NumbersChecked,
    state: State = State.CHOOSE_MODE,
    facts: Facts | None = None,
) -> Step:
    context, known = FACTS_BY_STATE[state]
    return flow.step(state, context, outcome, facts or known)


def find(
    numbers: tuple[int, ...] = SEVENS, pattern: NumberPattern | None = None, **found: Any
) -> FreeNumbersFound:
    return FreeNumbersFound(SUMMER, pattern or NumberPattern(ending="7"), numbers, **found)


def read(step: Step) -> tuple[str, list[str]]:
    (reply,) = step.replies
    return reply.body, [button.title for button in reply.buttons]


class TestNumbersLike:
    def test_are_listed_and_the_buyer_picks_next(self) -> None:
        step = show(find())

        assert step.replies[0].key == "numbers_like"
        assert read(step) == (
            (
                "Free numbers ending in 7: 007, 017, 027, 037, 047, 057, 067, 077, 087, 097, 107, "
                "117 …\nWrite the ones you would like."
            ),
            ["Random instead", "Menu"],
        )
        assert (step.state, step.context) == (
            State.ASK_PICK_NUMBERS,
            Context(raffle_id=1, mode=Mode.PICK),
        )

    @walk_cases(
        ("pattern", "start"),
        [
            (NumberPattern(), "Free numbers, for example: 007"),
            (NumberPattern(parity=Parity.ODD), "Free odd numbers: 007"),
            (NumberPattern(parity=Parity.EVEN), "Free even numbers: 007"),
            (NumberPattern(part=Part.LOW), "Lowest free numbers: 007"),
            (NumberPattern(part=Part.HIGH), "Highest free numbers: 007"),
            (NumberPattern(part=Part.LOW, parity=Parity.ODD), "Lowest free odd numbers: 007"),
            (NumberPattern(starting="0"), "Free numbers starting with 0: 007"),
            (NumberPattern(containing="13"), "Free numbers containing 13: 007"),
            (NumberPattern(low=1, high=99), "Free numbers from 001 to 099: 007"),
            (NumberPattern(low=5), "Free numbers from 005 on: 007"),
            (NumberPattern(high=99), "Free numbers up to 099: 007"),
            (
                NumberPattern(parity=Parity.ODD, high=99, starting="0", ending="7"),
                "Free odd numbers up to 099 starting with 0 and ending in 7: 007",
            ),
        ],
    )
    def test_are_described_as_they_were_asked_for(self, pattern: NumberPattern, start: str) -> None:
        body, _ = read(show(find((7,), pattern)))

        assert body.startswith(f"{start}\n")

    def test_can_be_taken_with_a_tap_if_the_buyer_said_how_many(self) -> None:
        body, titles = read(show(find(quantity=2)))
        three = show(find(quantity=3)).replies[0]

        assert body == "Free numbers ending in 7: 007, 017\nWrite the ones you would like."
        assert titles == ["Take 007 and 017", "Random instead", "Menu"]
        assert (three.buttons[0].id, three.buttons[0].title) == (
            "r1:nums:1:7:17:27",
            "Take these 3",
        )

    def test_can_be_taken_with_a_tap_if_there_is_one(self) -> None:
        assert read(show(find((7,))))[1] == ["Take 007", "Random instead", "Menu"]

    def test_are_offered_if_they_are_fewer_than_wanted(self) -> None:
        body, titles = read(show(find((7, 17), quantity=3)))

        assert body.startswith("I found only 2.\nFree numbers ending in 7: 007, 017\n")
        assert titles[0] == "Take 007 and 017"

    def test_are_listed_without_a_tap_if_too_many_are_wanted(self) -> None:
        body, titles = read(show(find(quantity=21)))

        assert body.startswith("21 is too many: you can take at most 20 numbers now.\nFree numbers")
        assert titles == ["Random instead", "Menu"]

    @pytest.mark.parametrize("state", [State.CONFIRM_RESERVATION, State.CHOOSE_MODE])
    def test_are_added_to_a_hold_and_never_replace_it(self, state: State) -> None:
        step = show(find(quantity=2), state, build_facts(DRAFT))

        button = step.replies[0].buttons[0]
        assert (button.id, button.title) == ("r1:nums:1:7:17:213:845", "Add 007 and 017")
        assert read(step)[1][1:] == ["Keep what I have", "Menu"]
        assert step.state is state

    def test_are_not_added_beyond_the_limit(self) -> None:
        full = replace(DRAFT, numbers=tuple(range(200, 219)))

        _, titles = read(show(find(quantity=2), State.CONFIRM_RESERVATION, build_facts(full)))

        assert titles == ["Keep what I have", "Menu"]

    def test_are_only_told_to_a_buyer_who_has_to_pay_first(self) -> None:
        step = show(find(quantity=2), State.WAIT_PROOF)

        assert read(step) == ("Free numbers ending in 7: 007, 017", ["My tickets", "Menu"])
        assert (step.state, step.context) == (State.WAIT_PROOF, FACTS_BY_STATE[State.WAIT_PROOF][0])

    @pytest.mark.parametrize("order", [REVIEWED, PAID])
    def test_can_be_taken_by_a_buyer_who_has_paid(self, order: Any) -> None:
        step = show(find((7,)), State.DONE, build_facts(order))

        assert (step.state, read(step)[1][0]) == (State.ASK_PICK_NUMBERS, "Take 007")

    def test_are_similar_ones_if_none_is_free(self) -> None:
        near = find(
            (), NumberPattern(ending="77"), near_pattern=NumberPattern(ending="7"), near=(7, 17)
        )

        assert read(show(near)) == (
            (
                "No number ending in 77 is free now.\nFree numbers ending in 7: 007, 017\n"
                "Write the ones you would like."
            ),
            ["Random instead", "Menu"],
        )

    def test_are_none_in_a_raffle_that_is_sold_out(self) -> None:
        assert read(show(find((), NumberPattern()))) == (
            "No number is free now.",
            ["My tickets", "Menu"],
        )

    @walk_cases("state", State)
    def test_are_not_told_while_the_raffle_sells_nothing(self, state: State) -> None:
        paused = replace(SUMMER, not_selling_reason="paused")
        order = replace(PENDING, raffle=paused)

        step = show(replace(find(), raffle=paused), state, build_facts(order, raffles=()))

        assert step.replies[0].body.startswith("*Summer Raffle* is paused at the moment.")

    def test_of_an_unknown_raffle_lead_to_the_menu(self) -> None:
        step = show(FreeNumbersFound(None, NumberPattern()))

        assert (step.state, step.replies[0].key) == (State.CHOOSE_MODE, "card")


class TestCheckedNumbers:
    def test_are_free_taken_or_unknown(self) -> None:
        checked = NumbersChecked(
            SUMMER, free=(7, 8), taken=(13,), unknown=(1000,), neighbours=(12, 14)
        )

        step = show(checked)

        assert step.replies[0].key == "numbers_free"
        assert read(step) == (
            (
                "007 and 008 are free.\n013 is taken.\n"
                "1000 is not a number of this raffle: its numbers go from 000 to 999.\n"
                "Free close by: 012 and 014.\nWrite the ones you would like."
            ),
            ["Take 007 and 008", "Random instead", "Menu"],
        )
        assert (step.state, step.context.mode) == (State.ASK_PICK_NUMBERS, Mode.PICK)

    def test_are_perhaps_those_of_the_buyer(self) -> None:
        checked = NumbersChecked(SUMMER, free=(8,), taken=(7, 13), neighbours=(12,))

        step = show(checked, State.CONFIRM_RESERVATION)

        assert read(step) == (
            (
                "008 is free.\n007 is yours.\n013 is taken.\nFree close by: 012.\n"
                "Write the ones you would like."
            ),
            ["Add 008", "Keep what I have", "Menu"],
        )
        assert step.state is State.CONFIRM_RESERVATION

    def test_can_all_be_taken(self) -> None:
        body, titles = read(show(NumbersChecked(SUMMER, taken=(7, 13))))

        assert body == "007 and 013 are taken.\nWrite the ones you would like."
        assert titles == ["Random instead", "Menu"]

    def test_of_an_unknown_raffle_lead_to_the_menu(self) -> None:
        assert show(NumbersChecked(None)).replies[0].key == "card"
