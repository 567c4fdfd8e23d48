"""The question whether a buyer is 18 or older, before numbers of some raffles are held."""

from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest

from shared.conversation import flow
from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    BuyerInput,
    LookupOutcome,
    NumberFound,
    ResultsFound,
    RulesFound,
    TextReceived,
)
from shared.conversation.facts.draw_values import DrawFacts, NumberFacts, NumberStatus
from shared.conversation.facts.values import Facts
from shared.conversation.values import HoldNumbers, HoldRandom, PlaceOrder, Step
from shared.core.enums import Mode, State
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    FACTS_BY_STATE,
    PENDING,
    SUMMER,
    WINTER,
    build_facts,
)

ADULTS: Final = replace(SUMMER, adults_only=True)
TAP: Final = ButtonTapped("r1:confirm:10")
YES: Final = ButtonTapped(build_button_id(ButtonAction.ADULT, 1))
NO: Final = ButtonTapped(build_button_id(ButtonAction.MINOR, 1))


def restrict(known: Facts, **changes: Any) -> Facts:
    """Return the facts with Summer Raffle for adults only."""
    return replace(
        known,
        raffles=tuple(ADULTS if raffle.id == 1 else raffle for raffle in known.raffles),
        orders=tuple(replace(order, raffle=ADULTS) for order in known.orders),
        **changes,
    )


def take(state: State, event: BuyerInput, context: Context | None = None, **changes: Any) -> Step:
    usual, known = FACTS_BY_STATE[state]
    return flow.step(state, context or usual, event, restrict(known, **changes))


WISHES: Final[dict[str, tuple[BuyerInput, Any]]] = {
    "random": (TextReceived("5 random"), HoldRandom(1, 5)),
    "picked": (TextReceived("007, 13 and 45"), HoldNumbers(1, (7, 13, 45))),
    "tapped": (ButtonTapped("r1:qty:1:3"), HoldRandom(1, 3)),
    "taken": (ButtonTapped("r1:nums:1:7:8"), HoldNumbers(1, (7, 8))),
}


@walk_cases(("state", "wish", "answer"), product(State, WISHES, [YES, TextReceived("Yes!")]))
def test_a_wish_waits_for_the_answer_and_goes_on_with_it(
    state: State, wish: str, answer: BuyerInput
) -> None:
    event, effect = WISHES[wish]
    asked = take(state, event)
    if state in {State.MENU, State.WAIT_PROOF} and isinstance(event, TextReceived):
        assert asked.effect is None  # words hold nothing here; taps do
        return
    if state is State.CONFIRM_RESERVATION:
        effect = replace(effect, replacing=DRAFT.id)

    (question,) = asked.replies
    known = restrict(FACTS_BY_STATE[state][1])
    gone_on = flow.step(asked.state, asked.context, answer, known)

    assert question.key == "age_question"
    assert meta_limits.find_message_faults(question.to_whatsapp_message()) == []
    assert (gone_on.effect, gone_on.confirms_age) == (effect, True)
    assert gone_on.context.yes_button_id == ""
    assert take(state, event, is_adult=True).effect == effect


@pytest.mark.parametrize("mode", Mode)
def test_other_numbers_are_asked_about_too(mode: Mode) -> None:
    known = restrict(build_facts(replace(DRAFT, mode=mode)))
    context = Context(raffle_id=1, draft_order_id=10)

    step = flow.step(State.CONFIRM_RESERVATION, context, ButtonTapped("r1:others:10"), known)

    asks_now = mode is Mode.RANDOM  # picked ones are asked for first
    assert step.replies[0].key == ("age_question" if asks_now else "ask_numbers")
    if asks_now:
        held = flow.step(step.state, step.context, YES, known)
        assert held.effect == HoldRandom(1, 3, replacing=10)


@walk_cases(("state", "answer"), product(State, [NO, TextReceived("nope"), TextReceived("I'm 17")]))
def test_a_no_is_refused_kindly_and_asked_again_on_return(state: State, answer: BuyerInput) -> None:
    asked = take(state, ButtonTapped("r1:qty:1:3"))

    refused = take(asked.state, answer, asked.context)
    again = take(refused.state, ButtonTapped("r1:qty:1:3"), refused.context)

    assert (refused.state, refused.context, refused.confirms_age) == (State.MENU, Context(), False)
    assert refused.replies[0].key == "age_refused"
    assert again.replies[0].key == "age_question"


class TestTaps:
    def test_on_an_old_yes_hold_nothing_twice(self) -> None:
        context = Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM, qty=3)

        step = take(State.CONFIRM_RESERVATION, YES, context, is_adult=True)

        assert (step.effect, step.replies[0].key) == (None, "held")

    def test_on_yes_without_a_wish_show_the_card_and_count(self) -> None:
        other_wish = Context(raffle_id=2, mode=Mode.RANDOM, qty=3)

        step = take(State.ASK_QTY, YES, other_wish)

        assert (step.confirms_age, step.replies[0].key) == (True, "card")
        assert step.replies[0].body.startswith("Thank you, I will not ask again.\n\n")

    def test_on_yes_count_though_the_raffle_sells_no_more(self) -> None:
        over = replace(ADULTS, not_selling_reason="paused")
        gone = flow.step(State.MENU, Context(), YES, build_facts(raffles=(WINTER,)))
        paused = flow.step(
            State.MENU, Context(), YES, build_facts(replace(PENDING, raffle=over), raffles=())
        )

        assert gone.confirms_age
        assert paused.confirms_age
        assert "is paused at the moment" in paused.replies[0].body

    def test_on_an_old_no_after_a_yes_change_nothing(self) -> None:
        context, _ = FACTS_BY_STATE[State.WAIT_PROOF]

        step = take(State.WAIT_PROOF, NO, is_adult=True)

        assert (step.state, step.context) == (State.WAIT_PROOF, context)


@walk_cases(
    ("text", "looks_up"),
    [("rules", True), ("who won", True), ("verify 7", True), ("verify", False)],
)
def test_the_question_stays_open_while_the_buyer_asks_about_the_draw(
    text: str, looks_up: bool
) -> None:
    asked = take(State.ASK_PICK_NUMBERS, TextReceived("7, 13"))

    told = take(asked.state, TextReceived(text), asked.context)
    if looks_up:
        assert told.lookup is not None
        told = flow.step(told.state, told.context, FOUND[text], restrict(build_facts()))
    answered = take(told.state, TextReceived("yes"), told.context)

    assert told.replies
    assert (answered.effect, answered.confirms_age) == (HoldNumbers(1, (7, 13)), True)


FOUND: Final[dict[str, LookupOutcome]] = {
    "rules": RulesFound(ADULTS, "Prize 1: a motorbike"),
    "who won": ResultsFound(),
    "verify 7": NumberFound(NumberFacts(DrawFacts(ADULTS), 7, NumberStatus.FREE)),
}


@walk_cases(("confirm", "answer"), product([TextReceived("yes"), TAP], [YES, TextReceived("yes")]))
def test_it_comes_before_the_order_of_numbers_that_were_held_before_it_was_needed(
    confirm: BuyerInput, answer: BuyerInput
) -> None:
    context = Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM, qty=3)

    asked = take(State.CONFIRM_RESERVATION, confirm, context)
    held = take(asked.state, answer, asked.context)

    assert (asked.effect, asked.replies[0].key) == (None, "age_question")
    assert (held.effect, held.replies[0].key, held.confirms_age) == (None, "held", True)
    assert take(held.state, confirm, held.context, is_adult=True).effect == PlaceOrder(10)


def test_other_words_are_no_answer_and_the_question_comes_again_with_the_wish() -> None:
    asked = take(State.CHOOSE_MODE, TextReceived("5 random"))

    rules = take(asked.state, TextReceived("rules"), asked.context)
    again = take(rules.state, TextReceived("5 random"), rules.context)

    assert rules.lookup is not None
    assert again.replies == asked.replies


@walk_cases(
    ("text", "is_adult"),
    [
        *[(text, True) for text in ("yes", "Yes, I'm 18", "I am over 18", "👍", "adult")],
        *[(text, True) for text in ("18", "25", "٢٥", "I am 25 years old", "born in 1990")],
        *[(text, False) for text in ("no", "I'm not", "under 18", "👎", "I am 17", "17", "2012")],
        *[(text, None) for text in ("maybe", "5 random", "7, 13", "2008", "5", "250", "$25")],
        *[(text, None) for text in ("-25", "my son is 25", "if I am 18", "yes 5 no 6", "who won")],
    ],
)
def test_answers_are_read(text: str, is_adult: bool | None) -> None:
    asked = take(State.ASK_QTY, ButtonTapped("r1:qty:1:3"))

    step = take(asked.state, TextReceived(text), asked.context)

    refused = any(reply.key == "age_refused" for reply in step.replies)
    assert (step.confirms_age, refused) == (is_adult is True, is_adult is False)


def test_the_card_says_for_whom_the_raffle_is_and_raffles_for_everybody_ask_nobody() -> None:
    context, known = FACTS_BY_STATE[State.CHOOSE_MODE]

    assert "\n18+ only · Draw: " in take(State.CHOOSE_MODE, TextReceived("hi")).replies[0].body
    assert flow.step(State.CHOOSE_MODE, context, TextReceived("5 random"), known).effect
