"""Tests of changes of the numbers that a buyer has."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import flow
from shared.conversation.context import Context
from shared.conversation.conversation_events import ButtonTapped, TextReceived
from shared.conversation.facts.values import Facts, OrderFacts
from shared.conversation.flow.numbers import number_changes
from shared.conversation.values import CancelOwnOrder, HoldNumbers, HoldRandom, PlaceOrder, Step
from shared.core.enums import Mode, OrderStatus, State
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    build_facts,
)

CONTEXT: Final = Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM, misses=1)
PICKED: Final = Context(raffle_id=1, mode=Mode.PICK, picked_numbers=(7, 13))
"""The buyer wants 7 and 13, which are not held, because one of them was taken."""

type Change = Callable[[OrderFacts | None, Context, Facts], Step]

CHANGES: Final[dict[str, Change]] = {
    "add": lambda *about: number_changes.add_numbers((21,), *about),
    "drop": lambda *about: number_changes.drop_numbers((7,), *about),
    "swap": lambda *about: number_changes.swap_numbers((7,), (21,), *about),
    "swap for any": lambda *about: number_changes.swap_numbers((7,), (), *about),
    "add random": lambda *about: number_changes.add_random(1, *about),
    "drop any": number_changes.ask_which_to_drop,
}


def add(*numbers: int, hold: OrderFacts = DRAFT, otherwise: tuple[int, ...] = ()) -> Step:
    facts = build_facts(hold)
    return number_changes.add_numbers(numbers, hold, CONTEXT, facts, otherwise=otherwise)


def drop(*numbers: int, hold: OrderFacts = DRAFT) -> Step:
    return number_changes.drop_numbers(numbers, hold, CONTEXT, build_facts(hold))


def swap(old: int, *new: int, hold: OrderFacts = DRAFT, otherwise: tuple[int, ...] = ()) -> Step:
    return number_changes.swap_numbers(
        (old,), new, hold, CONTEXT, build_facts(hold), otherwise=otherwise
    )


def add_random(quantity: int, hold: OrderFacts = DRAFT) -> Step:
    return number_changes.add_random(quantity, hold, CONTEXT, build_facts(hold))


def drop_any(hold: OrderFacts = DRAFT) -> Step:
    return number_changes.ask_which_to_drop(hold, CONTEXT, build_facts(hold))


def limit(**terms: int) -> OrderFacts:
    """Return the hold of three numbers in a raffle with other terms."""
    return replace(DRAFT, raffle=replace(SUMMER, **terms))  # type: ignore[arg-type]


class TestResult:
    @walk_cases(
        ("step", "effect"),
        [
            (add(21), HoldNumbers(1, (7, 21, 213, 845), replacing=10)),
            (add(21, 7, 5), HoldNumbers(1, (5, 7, 21, 213, 845), replacing=10)),
            (
                add(21, otherwise=(22, 23)),
                HoldNumbers(1, (7, 21, 213, 845), replacing=10, otherwise=(7, 22, 23, 213, 845)),
            ),
            (drop(7), HoldNumbers(1, (213, 845), replacing=10)),
            (drop(845, 7), HoldNumbers(1, (213,), replacing=10)),
            (swap(7, 8), HoldNumbers(1, (8, 213, 845), replacing=10)),
            (swap(7, 8, 9), HoldNumbers(1, (8, 9, 213, 845), replacing=10)),
            (
                swap(7, 777, otherwise=(7,)),
                HoldNumbers(1, (213, 777, 845), replacing=10, otherwise=(7, 213, 845)),
            ),
        ],
    )
    def test_replaces_the_hold(self, step: Step, effect: HoldNumbers) -> None:
        assert step == Step(
            State.ASK_PICK_NUMBERS,
            Context(raffle_id=1, draft_order_id=10, mode=Mode.PICK, picked_numbers=effect.numbers),
            effect=effect,
        )

    @walk_cases(
        ("step", "effect"),
        [
            (add_random(1), HoldRandom(1, 4, replacing=10, keeping=(7, 213, 845))),
            (add_random(17), HoldRandom(1, 20, replacing=10, keeping=(7, 213, 845))),
            (swap(213), HoldRandom(1, 3, replacing=10, keeping=(7, 845))),
        ],
    )
    def test_keeps_what_the_buyer_has_beside_random_numbers(
        self, step: Step, effect: HoldRandom
    ) -> None:
        assert step.effect == effect
        assert step.context == Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM)

    @walk_cases(
        ("step", "note"),
        [
            (add(7), "007 is yours already."),
            (add(7, 213), "007 and 213 are yours already."),
            (add(1000), "1000 is not a number of this raffle: its numbers go from 000 to 999."),
            (add(1, otherwise=(1000,)), "1000 is not a number of this raffle"),
            (drop(13), "013 is not one of your numbers."),
            (drop(13, 14), "013 and 014 are none of your numbers."),
            (drop(7, 213, 845, 13), "013 is not one of your numbers."),
            (swap(13, 14), "013 is not one of your numbers."),
            (swap(7, 213), "213 is yours already."),
            (swap(7, 7), "007 is yours already."),
            (swap(7, 1000), "1000 is not a number of this raffle"),
            (
                add(*range(19)),
                "That would be 21 numbers. You can take up to 20, so nothing has changed.",
            ),
            (
                add_random(18),
                "That would be 21 numbers. You can take up to 20, so nothing has changed.",
            ),
            (
                add(1, hold=limit(max_per_order=3)),
                "That would be 4 numbers. You can take up to 3, so nothing has changed.",
            ),
            (
                add_random(1, limit(remaining_for_buyer=3)),
                "That would be 4 numbers. You can take up to 3, so nothing has changed.",
            ),
            (
                drop(7, hold=limit(min_per_order=3)),
                "At least 3 numbers at a time, so nothing has changed.",
            ),
            (
                drop_any(limit(min_per_order=3)),
                "At least 3 numbers at a time, so nothing has changed.",
            ),
        ],
    )
    def test_is_the_hold_as_it_was_if_the_change_is_impossible(self, step: Step, note: str) -> None:
        (reply,) = step.replies
        assert (step.state, step.effect, reply.key) == (State.CONFIRM_RESERVATION, None, "held")
        assert reply.body.startswith(note)
        assert "*007 · 213 · 845*" in reply.body
        assert step.context.misses == 0

    def test_needs_no_number_that_is_counted_as_free(self) -> None:
        hold = limit(available=0)

        assert swap(7, 8, hold=hold).effect == HoldNumbers(1, (8, 213, 845), replacing=10)


class TestGivingBack:
    def test_all_numbers_is_a_question_whether_to_cancel(self) -> None:
        for step in (drop(7, 213, 845), drop_any(replace(DRAFT, numbers=(7,)))):
            (reply,) = step.replies
            assert (step.effect, reply.key) == (None, "give_back_all")
            assert [button.title for button in reply.buttons] == [
                "Yes, cancel",
                "Other numbers",
                "Keep what I have",
            ]
            yes = flow.step(step.state, step.context, TextReceived("yes"), build_facts(DRAFT))
            no = flow.step(step.state, step.context, TextReceived("no"), build_facts(DRAFT))
            assert yes.effect == CancelOwnOrder(10)
            assert (no.effect, no.replies[0].key) == (None, "held")

    def test_is_worded_for_one_number_and_for_several(self) -> None:
        one = drop(7, hold=replace(DRAFT, numbers=(7,))).replies[0].body
        three = drop(7, 213, 845).replies[0].body

        assert one == "That is your only number: *007*. Would you like to cancel?"
        assert three == ("Those are all your numbers: *007 · 213 · 845*. Would you like to cancel?")

    def test_numbers_of_which_some_are_not_held_is_a_question(self) -> None:
        step = drop(7, 13)

        (reply,) = step.replies
        assert (step.effect, reply.key) == (None, "give_back")
        assert reply.body == ("013 is not one of your numbers. Would you like to give back 007?")
        assert [button.title for button in reply.buttons] == ["Give back 007", "Keep what I have"]
        yes = flow.step(step.state, step.context, TextReceived("yes"), build_facts(DRAFT))
        assert yes.effect == HoldNumbers(1, (213, 845), replacing=10)

    def test_one_number_is_a_question_which(self) -> None:
        step = drop_any()

        (reply,) = step.replies
        assert (step.state, reply.key) == (State.CONFIRM_RESERVATION, "drop_which")
        assert [row.title for row in reply.rows] == [
            "Give back 007",
            "Give back 213",
            "Give back 845",
        ]
        tapped = flow.step(
            step.state, step.context, ButtonTapped(reply.rows[1].id), build_facts(DRAFT)
        )
        assert tapped.effect == HoldNumbers(1, (7, 845), replacing=10)

    @walk_cases(
        ("text", "numbers"),
        [
            ("7", (213, 845)),
            ("the 7 please", (213, 845)),
            ("213 and 845", (7,)),
            ("drop 213", (7, 845)),
        ],
    )
    def test_named_after_the_question_are_given_back(
        self, text: str, numbers: tuple[int, ...]
    ) -> None:
        asked = flow.step(
            State.CONFIRM_RESERVATION, CONTEXT, TextReceived("remove one"), build_facts(DRAFT)
        )
        answered = flow.step(asked.state, asked.context, TextReceived(text), build_facts(DRAFT))

        assert asked.replies[0].key == "drop_which"
        assert answered.effect == HoldNumbers(1, numbers, replacing=10)

    @walk_cases("text", ("yes", "ok", "8", "7 and 8", "maybe 7", "5 random", "7?"))
    def test_stay_if_the_answer_names_none_of_them_for_sure(self, text: str) -> None:
        asked = drop_any()

        answered = flow.step(asked.state, asked.context, TextReceived(text), build_facts(DRAFT))

        assert not isinstance(answered.effect, PlaceOrder)
        assert not isinstance(answered.effect, HoldNumbers)

    def test_stay_after_a_no(self) -> None:
        asked = drop_any()

        kept = flow.step(asked.state, asked.context, TextReceived("no"), build_facts(DRAFT))

        assert (kept.effect, kept.replies[0].key) == (None, "held")

    def test_one_of_many_numbers_is_a_question_in_words(self) -> None:
        (reply,) = drop_any(replace(DRAFT, numbers=tuple(range(11)))).replies

        assert reply.body.endswith("give back? Write for example: *drop 000*")
        assert [button.title for button in reply.buttons] == ["Keep what I have"]


class TestWithoutHold:
    """The buyer wrote numbers that could not be held."""

    def change(self, change: Change) -> Step:
        return change(None, PICKED, build_facts())

    @walk_cases(("name", "numbers"), [("add", (7, 13, 21)), ("drop", (13,)), ("swap", (13, 21))])
    def test_changes_the_numbers_that_were_asked_for(
        self, name: str, numbers: tuple[int, ...]
    ) -> None:
        step = self.change(CHANGES[name])

        assert step.effect == HoldNumbers(1, numbers)
        assert step.context == replace(PICKED, picked_numbers=numbers)

    @walk_cases("name", ["swap for any", "add random", "drop any"])
    def test_asks_for_numbers_where_only_a_hold_can_be_changed(self, name: str) -> None:
        step = self.change(CHANGES[name])

        assert (step.state, step.effect) == (State.ASK_PICK_NUMBERS, None)
        assert step.replies[0].key == "ask_numbers"

    def test_asks_for_numbers_if_none_is_left(self) -> None:
        step = number_changes.drop_numbers((7, 13), None, PICKED, build_facts())

        assert (step.replies[0].key, step.context.picked_numbers) == ("ask_numbers", ())

    def test_names_the_numbers_that_were_asked_for(self) -> None:
        step = number_changes.drop_numbers((14,), None, PICKED, build_facts())

        assert step.replies[0].body.startswith("014 is not one of your numbers: 007 and 013.\n\n")

    def test_holds_random_numbers_if_nothing_was_asked_for(self) -> None:
        step = number_changes.add_random(2, None, Context(raffle_id=1), build_facts())

        assert step.effect == HoldRandom(1, 2)

    @walk_cases("name", CHANGES)
    def test_shows_the_menu_without_a_raffle(self, name: str) -> None:
        step = CHANGES[name](None, Context(), build_facts())

        assert step.replies[0].key == "card"


class TestPlacedOrders:
    @walk_cases("name", CHANGES)
    def test_keep_their_numbers_while_they_wait_for_payment(self, name: str) -> None:
        step = CHANGES[name](PENDING, CONTEXT, build_facts(PENDING))

        (reply,) = step.replies
        assert (step.state, step.effect, reply.key) == (State.WAIT_PROOF, None, "numbers_fixed")
        assert reply.body == (
            "The numbers of order *R-7K3F9* cannot be changed here: *007 · 213 · 845*. "
            "To have others, cancel it and choose again."
        )
        assert [button.title for button in reply.buttons] == ["How to pay", "Cancel order", "Menu"]
        assert reply.about == "R-7K3F9"

    @walk_cases(("order", "why"), [(REVIEWED, "It is being checked: "), (PAID, "It is paid: ")])
    def test_keep_their_numbers_afterwards(self, order: OrderFacts, why: str) -> None:
        for name, change in CHANGES.items():
            step = change(order, CONTEXT, build_facts(order))

            (reply,) = step.replies
            assert (step.state, step.effect) == (State.DONE, None)
            assert reply.body.endswith(f" {why}please ask Ana, +1 555 0100.")
            titles = [button.title for button in reply.buttons]
            assert titles == [*["Take 021"] * (name == "add"), "Buy more", "My tickets"]

    @pytest.mark.parametrize("order", [EXPIRED, CANCELLED])
    def test_that_ended_are_over(self, order: OrderFacts) -> None:
        for change in CHANGES.values():
            step = change(order, CONTEXT, build_facts(order))

            assert step.effect is None
            assert "R-7K3F9" in step.replies[0].body
            assert step.replies[0].key == "card"


@pytest.mark.parametrize("reason", ["paused", "over", "cancelled"])
@pytest.mark.parametrize("order", [DRAFT, None])
def test_nothing_changes_while_the_raffle_sells_nothing(
    order: OrderFacts | None, reason: str
) -> None:
    raffle = replace(SUMMER, not_selling_reason=reason)
    hold = replace(DRAFT, raffle=raffle)
    for change in CHANGES.values():
        step = change(hold if order else None, PICKED, build_facts(hold, raffles=()))

        assert step.effect is None
        assert step.replies


NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=5).map(tuple)


@given(
    status=st.sampled_from(OrderStatus),
    held=st.sets(st.integers(0, 20), min_size=1, max_size=8),
    old=NUMBERS,
    new=NUMBERS,
    otherwise=st.just(()) | NUMBERS,
    least=st.integers(1, 3),
    most=st.integers(3, 9),
)
def test_a_change_keeps_the_other_numbers_and_the_limits(
    status: OrderStatus,
    held: set[int],
    old: tuple[int, ...],
    new: tuple[int, ...],
    otherwise: tuple[int, ...],
    least: int,
    most: int,
) -> None:
    raffle = replace(
        SUMMER, number_count=25, last_number=24, width=2, min_per_order=least, max_per_order=most
    )
    hold = replace(DRAFT, raffle=raffle, status=status, numbers=tuple(sorted(held)))
    about = (hold, CONTEXT, build_facts(hold, raffles=(raffle,)))
    steps: dict[str, tuple[Step, set[int]]] = {
        "add": (number_changes.add_numbers(new, *about, otherwise=otherwise), held),
        "drop": (number_changes.drop_numbers(old, *about), held - {*old}),
        "swap": (
            number_changes.swap_numbers(old, new, *about, otherwise=otherwise),
            held - {*old},
        ),
        "swap for any": (number_changes.swap_numbers(old, (), *about), held - {*old}),
        "add random": (number_changes.add_random(len(new), *about), held),
    }
    for name, (step, rest) in steps.items():
        effect = step.effect
        for reply in step.replies:
            assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == [], name
        if effect is None:
            assert step.replies, name
            continue
        assert status is OrderStatus.DRAFT, name
        if isinstance(effect, HoldRandom):
            assert (set(effect.keeping), effect.replacing) == (rest, 10), name
            assert least <= effect.quantity <= most, name
            continue
        assert isinstance(effect, HoldNumbers), name
        assert effect.replacing == 10, name
        for choice in filter(None, (effect.numbers, effect.otherwise)):
            assert rest <= set(choice) <= rest | {*new} | {*otherwise}, name
            assert least <= len(choice) <= most, name
            assert all(number <= 24 for number in choice), name
