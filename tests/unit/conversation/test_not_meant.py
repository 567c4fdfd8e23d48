"""Nothing is held or given away that a buyer did not ask for."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import product
from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.conversation import button_ids, flow
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.conversation_events import ButtonTapped, TextReceived
from shared.conversation.facts.values import Facts
from shared.conversation.values import (
    CancelOwnOrder,
    Effect,
    HoldNumbers,
    HoldRandom,
    PlaceOrder,
    Step,
)
from shared.core.enums import Mode, State
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import DRAFT, REVIEWED, SUMMER, build_facts

MENU, MODE, QTY = State.MENU, State.CHOOSE_MODE, State.ASK_QTY
PICK, CONFIRM, DONE = State.ASK_PICK_NUMBERS, State.CONFIRM_RESERVATION, State.DONE

HOLD: Final = replace(DRAFT, mode=Mode.PICK, numbers=(7, 13))
MILLION: Final = replace(
    SUMMER, number_count=1_000_000, first_number=1, last_number=1_000_000, width=7
)
CONTEXTS: Final[Mapping[State, tuple[Context, Facts]]] = {
    MENU: (Context(), build_facts(HOLD)),
    MODE: (Context(raffle_id=1), build_facts(HOLD)),
    QTY: (Context(raffle_id=1, mode=Mode.RANDOM), build_facts(HOLD)),
    PICK: (Context(raffle_id=1, mode=Mode.PICK), build_facts(HOLD)),
    CONFIRM: (Context(raffle_id=1, draft_order_id=10), build_facts(HOLD)),
    DONE: (Context(raffle_id=1, draft_order_id=11), build_facts(HOLD, replace(REVIEWED, id=11))),
}
"""A buyer who holds 7 and 13, in every state in which ticket numbers are understood."""


def write(text: str, state: State, *, with_hold: bool = True) -> Step:
    """Return the step for a text in a state."""
    context, known = CONTEXTS[state]
    if not with_hold:
        known = replace(known, orders=tuple(o for o in known.orders if o is not HOLD))
    return flow.step(state, context, TextReceived(text), known)


UNCLEAR: Final = (
    "-1", "-5", "−5", "- 5", "1.5", "7.5", ".5", "100%", "50 %", "٥٪", "$100", "5€", "£ 5",
    "3 for 2", "2 of 10", "15:30", "7=13", "7x13", "5+", "~5", "<5", "5-", "7--13", "7, -13",
    "5a", "a5", "1'000", "7·13", "1. 7\n2. 13", "- 7\n- 13", "7.13.45", "-five", "$five", "five%",
    "100% random", "-5 random", "-5 tickets", "1.5 tickets", "3 for 2 tickets", "$5 tickets",
    "5²", "1½", "½",
)  # fmt: skip
"""Numbers with signs that change their meaning."""

QUESTIONS: Final[Mapping[str, Mapping[State, str]]] = {
    "10-20 tickets": dict.fromkeys(CONTEXTS, "these_numbers"),
    "7 and 13 tickets": dict.fromkeys(CONTEXTS, "these_numbers"),
    "5 tickets 7 13": dict.fromkeys(CONTEXTS, "these_numbers"),
    "07-13-45": {QTY: "these_numbers"},
    "07/08-13-45": dict.fromkeys(CONTEXTS, "these_numbers"),
    "1,000": {
        MENU: "these_numbers", MODE: "these_numbers", QTY: "these_numbers",
        PICK: "these_numbers", CONFIRM: "these_numbers", DONE: "these_numbers",
    },
    "7,130": dict.fromkeys(CONTEXTS, "these_numbers"),
    "1 000": dict.fromkeys(CONTEXTS, "these_numbers"),
    "lucky 13": dict.fromkeys(CONTEXTS, "quantity_or_number"),
    "lucky 77": dict.fromkeys(CONTEXTS, "these_numbers"),
    "random number 13": dict.fromkeys(CONTEXTS, "quantity_or_number"),
    "5 10": {QTY: "these_numbers"},
    "5,10": {QTY: "these_numbers"},
    "5-10": {QTY: "these_numbers"},
    "05": {QTY: "quantity_or_number"},
    "no 7": {QTY: "quantity_or_number", MODE: "quantity_or_number"},
    "No 77 please": {QTY: "these_numbers"},
    "no, 5": {MODE: "quantity_or_number", CONFIRM: "quantity_or_number"},
    "number of tickets 5": {MODE: "quantity_or_number", CONFIRM: "quantity_or_number"},
    "5 tickets": {PICK: "quantity_or_number"},
    "five": {MODE: "quantity_or_number", CONFIRM: "quantity_or_number"},
    "five dozen": {MODE: "ask_quantity", PICK: "ask_quantity", QTY: "ask_quantity"},
    "two hundred": {MODE: "these_numbers", QTY: "ask_quantity"},
    "$100": dict.fromkeys(CONTEXTS, "money_worth"),
    "100 dollars": dict.fromkeys(CONTEXTS, "money_worth"),
    "30 tickets": {MODE: "ask_quantity", PICK: "ask_quantity", QTY: "ask_quantity"},
}  # fmt: skip
"""Texts with two meanings, and the question without a hold."""

WITH_HOLD: Final[Mapping[str, Mapping[State, str]]] = {
    "and 3 tickets": {CONFIRM: "which_more"},
    "500": {MENU: "add_or_replace", MODE: "add_or_replace", CONFIRM: "add_or_replace"},
    "#021": {CONFIRM: "add_or_replace"},
    "0": {CONFIRM: "add_or_replace", QTY: "ask_quantity"},
    "5": {CONFIRM: "quantity_or_number"},
    "no": {CONFIRM: "what_instead"},
    "👎": {CONFIRM: "what_instead"},
    "keep it": {CONFIRM: "held"},
    "no 7": {CONFIRM: "quantity_or_number", QTY: "quantity_or_number", PICK: "add_or_replace"},
    "10-20 tickets": {CONFIRM: "add_or_replace", PICK: "add_or_replace"},
}  # fmt: skip
"""Texts of a buyer who holds 7 and 13, and the question."""

ADDED: Final[Mapping[str, Mapping[State, Effect]]] = {
    **{
        text: dict.fromkeys((MENU, MODE, PICK, CONFIRM, DONE), HoldNumbers(1, (7, 13, 21), 10))
        for text in (
            "and 21", "+21", "+ 21", "& 21 please", "also 21", "21 too", "add 21", "add 21 please",
            "plus number 21", "21 also", "and 021", "21 as well",
        )
    },
    "add 21 and 22": dict.fromkeys((CONFIRM, PICK, QTY), HoldNumbers(1, (7, 13, 21, 22), 10)),
    "and 5": {CONFIRM: HoldNumbers(1, (5, 7, 13), 10)},
    "and 10-12": {CONFIRM: HoldNumbers(1, (7, 10, 11, 12, 13), 10)},
    "and 3 random": dict.fromkeys(
        (CONFIRM, QTY, PICK), HoldRandom(1, 5, replacing=10, keeping=(7, 13))
    ),
}  # fmt: skip
"""Texts that add to the hold of a buyer who holds 7 and 13, and what is held then."""

CLEAR: Final[Mapping[str, Mapping[State, Effect]]] = {
    "07, 13-20 and 45": dict.fromkeys(
        (MENU, MODE, PICK), HoldNumbers(1, (7, *range(13, 21), 45))
    ),
    "007, 013 and 045": dict.fromkeys((MENU, MODE, QTY, PICK, DONE), HoldNumbers(1, (7, 13, 45))),
    "007 · 013 · 045": dict.fromkeys((MODE, QTY, PICK), HoldNumbers(1, (7, 13, 45))),
    "7,13,20": dict.fromkeys((MODE, PICK), HoldNumbers(1, (7, 13, 20))),
    "123,456": dict.fromkeys((MODE, PICK), HoldNumbers(1, (123, 456))),
    "from 10 to 15": dict.fromkeys((MODE, PICK), HoldNumbers(1, tuple(range(10, 16)))),
    "Hi!\nI want 7, 13 and 20, please.": dict.fromkeys(
        (MODE, PICK), HoldNumbers(1, (7, 13, 20))
    ),
    "10‑12": dict.fromkeys((MODE, PICK), HoldNumbers(1, (10, 11, 12))),
    "7\n13": dict.fromkeys((MODE, PICK), HoldNumbers(1, (7, 13))),
    "#0007": dict.fromkeys((MODE, QTY, PICK), HoldNumbers(1, (7,))),
    "no. 7": dict.fromkeys((MODE, QTY, PICK), HoldNumbers(1, (7,))),
    "No7": dict.fromkeys((MODE, QTY, PICK), HoldNumbers(1, (7,))),
    "n°7": dict.fromkeys((MODE, QTY, PICK), HoldNumbers(1, (7,))),
    "tickets 7 and 13": dict.fromkeys((MODE, PICK), HoldNumbers(1, (7, 13))),
    "*7*, *13*": dict.fromkeys((MODE, PICK), HoldNumbers(1, (7, 13))),
    "(7) (13)": dict.fromkeys((MODE, PICK), HoldNumbers(1, (7, 13))),
    "5 tickets please": dict.fromkeys((MENU, MODE, QTY), HoldRandom(1, 5)),
    "5 tickets - thanks!": dict.fromkeys((MODE, QTY), HoldRandom(1, 5)),
    "any 5": dict.fromkeys((MODE, QTY, PICK), HoldRandom(1, 5)),
    "5 lucky numbers": dict.fromkeys((MODE, QTY, PICK), HoldRandom(1, 5)),
    "５": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "٥": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "5️⃣": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "1️⃣3️⃣": {QTY: HoldRandom(1, 13), PICK: HoldNumbers(1, (13,))},
    "5.": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "5!": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "twenty": {QTY: HoldRandom(1, 20), PICK: HoldNumbers(1, (20,))},
    "five": {QTY: HoldRandom(1, 5), PICK: HoldNumbers(1, (5,))},
    "two hundred": {PICK: HoldNumbers(1, (200,))},
    "07-13-45": dict.fromkeys((MENU, MODE, PICK, DONE), HoldNumbers(1, (7, 13, 45))),
    "and 21": dict.fromkeys((MENU, MODE, PICK), HoldNumbers(1, (21,))),
    "0": {MODE: HoldNumbers(1, (0,)), PICK: HoldNumbers(1, (0,))},
}  # fmt: skip
"""Ordinary texts, and what is held."""


def flatten(table: Mapping[str, Mapping[State, object]]) -> list[tuple[str, State, object]]:
    """Return the rows of a table."""
    return [(text, state, wanted) for text, row in table.items() for state, wanted in row.items()]


class TestTable:
    @walk_cases("text", UNCLEAR)
    def test_unclear_numbers_change_nothing(self, text: str) -> None:
        for state, with_hold in product(CONTEXTS, (True, False)):
            step = write(text, state, with_hold=with_hold)

            assert step.effect is None, (state, with_hold)
            assert step.replies[0].key not in {"quantity_or_number", "these_numbers"}

    @walk_cases(("text", "state"), product(["7.5", "-5", "100%", "3 for 2"], CONTEXTS))
    def test_unclear_numbers_are_answered_with_a_note_and_the_prompt(
        self, text: str, state: State
    ) -> None:
        step = write(text, state)

        assert step.replies[0].body.startswith("Sorry, I am not sure what the numbers")
        assert step.replies[0].buttons

    @walk_cases(("text", "state", "key"), flatten(QUESTIONS))
    def test_two_meanings_are_asked_about(self, text: str, state: State, key: str) -> None:
        step = write(text, state, with_hold=False)

        assert (step.effect, step.replies[0].key) == (None, key)
        assert meta_limits.find_message_faults(step.replies[0].to_whatsapp_message()) == []

    @walk_cases(("text", "state", "key"), flatten(QUESTIONS))
    def test_two_meanings_leave_a_hold_alone(self, text: str, state: State, key: str) -> None:
        assert write(text, state).effect is None

    @walk_cases(("text", "state", "key"), flatten(WITH_HOLD))
    def test_a_hold_is_not_given_away_unasked(self, text: str, state: State, key: str) -> None:
        step = write(text, state)

        assert (step.effect, step.replies[0].key) == (None, key)
        assert meta_limits.find_message_faults(step.replies[0].to_whatsapp_message()) == []

    @walk_cases(("text", "state", "effect"), flatten(ADDED))
    def test_what_is_added_leaves_a_hold_whole(
        self, text: str, state: State, effect: Effect
    ) -> None:
        assert write(text, state).effect == effect

    @walk_cases(("text", "state", "effect"), flatten(CLEAR))
    def test_ordinary_texts_are_still_understood(
        self, text: str, state: State, effect: Effect
    ) -> None:
        assert write(text, state, with_hold=False).effect == effect


class TestThousands:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("123,456", (123_456,)),
            ("1,000,000", (1_000_000,)),
            ("123,456, 7", (7, 123_456)),
            ("0123456 0000007", (7, 123_456)),
            ("number 123,456", (123_456,)),
        ],
    )
    def test_are_read_as_the_bot_writes_them(self, text: str, numbers: tuple[int, ...]) -> None:
        known = build_facts(raffles=(MILLION,))

        step = flow.step(PICK, Context(raffle_id=1), TextReceived(text), known)

        assert step.effect == HoldNumbers(1, numbers)

    @pytest.mark.parametrize("text", ["100 200", "100,200,300", "7 130"])
    def test_are_asked_about_where_they_may_be_several_numbers(self, text: str) -> None:
        known = build_facts(raffles=(MILLION,))

        step = flow.step(PICK, Context(raffle_id=1), TextReceived(text), known)

        assert (step.effect, step.replies[0].key) == (None, "these_numbers")

    @pytest.mark.parametrize("text", ["1,000", "1,000 tickets"])
    def test_count_as_one_quantity(self, text: str) -> None:
        known = build_facts(raffles=(replace(MILLION, max_per_order=5_000),))

        step = flow.step(QTY, Context(raffle_id=1), TextReceived(text), known)

        assert step.effect == HoldRandom(1, 1_000)


class TestAnswers:
    """The answers to the question about numbers beside a hold."""

    def ask(self) -> Step:
        return write("#021", CONFIRM)

    def answer(self, text: str) -> Step:
        asked = self.ask()
        return flow.step(asked.state, asked.context, TextReceived(text), CONTEXTS[CONFIRM][1])

    def test_are_offered_as_buttons(self) -> None:
        titles = [button.title for button in self.ask().replies[0].buttons]

        assert titles == ["Add 021", "Keep what I have", "Only 021"]

    def test_yes_adds(self) -> None:
        assert self.answer("yes").effect == HoldNumbers(1, (7, 13, 21), replacing=10)

    def test_no_keeps_the_hold(self) -> None:
        step = self.answer("no")

        assert (step.effect, step.state, step.replies[0].key) == (None, CONFIRM, "held")
        assert "stays as it is" in step.replies[0].body

    @pytest.mark.parametrize(
        ("place", "effect"),
        [
            (0, HoldNumbers(1, (7, 13, 21), replacing=10)),
            (1, None),
            (2, HoldNumbers(1, (21,), replacing=10)),
        ],
    )
    def test_may_be_tapped(self, place: int, effect: Effect | None) -> None:
        asked = self.ask()
        tap = ButtonTapped(asked.replies[0].buttons[place].id)

        step = flow.step(asked.state, asked.context, tap, CONTEXTS[CONFIRM][1])

        assert step.effect == effect

    def test_yes_keeps_the_hold_where_no_more_can_be_added(self) -> None:
        known = build_facts(replace(HOLD, raffle=replace(SUMMER, max_per_order=2)))
        context = CONTEXTS[CONFIRM][0]
        asked = flow.step(CONFIRM, context, TextReceived("#021"), known)

        step = flow.step(asked.state, asked.context, TextReceived("yes"), known)

        assert step.effect is None

    @pytest.mark.parametrize("text", ["and 21", "21 too", "add 21 and 22", "and 2 random"])
    def test_more_than_is_allowed_is_not_added(self, text: str) -> None:
        known = build_facts(replace(HOLD, raffle=replace(SUMMER, max_per_order=2)))

        step = flow.step(CONFIRM, CONTEXTS[CONFIRM][0], TextReceived(text), known)

        assert (step.effect, step.replies[0].key) == (None, "held")
        assert "nothing has changed" in step.replies[0].body

    def test_no_at_the_confirmation_is_asked_about_with_three_buttons(self) -> None:
        buttons = write("no", CONFIRM).replies[0].buttons

        assert [button.title for button in buttons] == ["Other numbers", "Cancel", "Confirm"]

    def test_no_to_doubtful_numbers_repeats_the_prompt(self) -> None:
        asked = write("10-20 tickets", PICK, with_hold=False)

        step = flow.step(asked.state, asked.context, TextReceived("no"), build_facts())

        assert (step.effect, step.replies[0].key) == (None, "ask_numbers")

    @pytest.mark.parametrize("text", ["other numbers", "change them", "different"])
    def test_other_numbers_are_given_to_a_buyer_who_asks_for_them(self, text: str) -> None:
        context, _ = CONTEXTS[CONFIRM]

        step = flow.step(CONFIRM, context, TextReceived(text), build_facts(DRAFT))

        assert step.effect == HoldRandom(1, 3, replacing=10)


class TestMenuWithOneRaffle:
    """The word MENU resets the state, and the card of one raffle is understood in it."""

    @pytest.mark.parametrize("state", CONTEXTS)
    @pytest.mark.parametrize(
        "event", [TextReceived("menu"), ButtonTapped(button_ids.build_button_id(ButtonAction.MENU))]
    )
    def test_resets_state_and_context(
        self, event: TextReceived | ButtonTapped, state: State
    ) -> None:
        context, known = CONTEXTS[state]

        step = flow.step(state, context, event, known)

        assert (step.state, step.context) == (MENU, Context())
        assert step.replies[0].key == "card"

    @walk_cases(
        "text",
        [
            "5", "five", "5 random", "5 tickets", "007", "07, 13 and 45", "500", "random", "any",
            "pick", "choose myself", "summer", "Summer Raffle", "1", "2", "hi", "thanks", "yes",
            "no", "more", "my tickets", "help", "cancel", "10-20 tickets", "lucky 13", "7.5",
        ],
    )  # fmt: skip
    def test_understands_what_is_understood_from_the_card(self, text: str) -> None:
        menu = flow.step(MENU, Context(), TextReceived(text), build_facts())
        mode = flow.step(MODE, Context(raffle_id=1), TextReceived(text), build_facts())

        assert (menu.effect, menu.replies) == (mode.effect, mode.replies)
        assert {menu.state, mode.state} <= {MENU, MODE} or menu.state is mode.state

    @pytest.mark.parametrize("action", [ButtonAction.RANDOM, ButtonAction.PICK])
    def test_understands_its_buttons(self, action: ButtonAction) -> None:
        tap = ButtonTapped(button_ids.build_button_id(action, 1))

        menu = flow.step(MENU, Context(), tap, build_facts())
        mode = flow.step(MODE, Context(raffle_id=1), tap, build_facts())

        assert menu == mode


PIECES: Final = (
    "5", "7", "13", "021", "1,000", "100", "٣", "７", "-", "–", ".", ",", ", ", " ", "%", "$", "/",
    " and ", "and ", " for ", " to ", " tickets", " random", "lucky ", "#", "+", "no ", "number ",
    "five", " twenty", " please", "\n", "x", ":", "…", "(", "the ", " dozen", " of ", "'", "️⃣",
)  # fmt: skip
NUMBER: Final = r"\d|five|twenty|dozen"
AMOUNTS: Final = {"five": 5, "twenty": 20, "dozen": 12, "twenty five": 25, "twenty-five": 25}


def fold(text: str) -> str:
    """Return the text with plain digits and without signs between two groups of three digits."""
    plain = "".join(
        str(unicodedata.digit(char)) if unicodedata.category(char) == "Nd" else char
        for char in unicodedata.normalize("NFKC", text).replace("\ufe0f", "").replace("\u20e3", "")
    )
    return re.sub(r"(?<=\d),(?=\d{3})", "", plain)


def is_readable(effect: HoldNumbers | HoldRandom, text: str, *, held: Collection[int]) -> bool:
    """Return whether the text names what is held beside what was, by a rule without grammar."""
    joined, apart = fold(text), fold(text.replace(",", " "))
    named = {int(run) for part in (joined, apart) for run in re.findall(r"\d+", part)}
    plain = " ".join(joined.casefold().split())
    named |= {value for words, value in AMOUNTS.items() if words in plain}
    if "dozen" in plain:
        named |= {12 * number for number in named}
    if isinstance(effect, HoldRandom):
        if "$" in plain:  # a number costs $5
            named |= {number // 5 for number in named}
        return effect.quantity - len(effect.keeping) in named
    new = set(effect.numbers) - set(held)
    if re.search(rf"(?:{NUMBER})\W*(?:[-–…]|to|and|\.\.)\W*(?:{NUMBER})", plain):
        return all(min(named) <= number <= max(named) for number in new)
    return new <= named


class TestProperty:
    @given(
        pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=7),
        state=st.sampled_from(sorted(CONTEXTS)),
        with_hold=st.booleans(),
    )
    @example(["and ", "021"], CONFIRM, True)
    @example([" twenty", "-", "five"], PICK, False)
    @example([" twenty", ", ", "five"], PICK, False)
    @example(["5", "five"], PICK, False)
    @example(["5", "$", " and ", "5"], PICK, True)
    @example(["5", " please", ".", ".", "7"], PICK, False)
    @example([" for ", "5", "$"], PICK, False)
    @settings(max_examples=400, deadline=None)
    def test_only_what_the_text_names_is_held(
        self, pieces: list[str], state: State, with_hold: bool
    ) -> None:
        text = "".join(pieces)

        effect = write(text, state, with_hold=with_hold).effect

        assert not isinstance(effect, PlaceOrder | CancelOwnOrder)
        if isinstance(effect, HoldNumbers | HoldRandom):
            assert is_readable(effect, text, held=HOLD.numbers if with_hold else ())
            misleading = r"\d *%|% *\d|\d:\d|(?<!no)(?<!\.)\.\d|^[-–]\d"
            if "for" not in text:  # "for $5"
                misleading += r"|\d *\$|\$ *\d"
            assert not re.search(misleading, fold(text))
            if with_hold and text.casefold().startswith(("and", "+")):
                kept = effect.keeping if isinstance(effect, HoldRandom) else effect.numbers
                assert set(kept) >= set(HOLD.numbers)

    @given(st.text(max_size=60), st.sampled_from(sorted(CONTEXTS)))
    def test_only_what_any_text_names_is_held(self, text: str, state: State) -> None:
        effect = write(text, state).effect

        if isinstance(effect, HoldNumbers | HoldRandom):
            assert is_readable(effect, text, held=HOLD.numbers)
