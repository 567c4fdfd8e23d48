"""Tests of the conversation as a table: the step for each state and kind of event."""

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from shared.conversation import button_ids, flow
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    ConversationEvent,
    EffectRefused,
    LostFileReceived,
    NameConsentSaved,
    NumberFound,
    NumbersHeld,
    OrderCancelled,
    OrderPlaced,
    PictureReceived,
    ProofAddedToOrder,
    ProofWithoutOrder,
    RaffleFound,
    ResultsFound,
    RulesFound,
    TextReceived,
    UnreadableReceived,
    UnsupportedReceived,
)
from shared.conversation.facts.draw_values import NumberFacts, NumberStatus
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.values import (
    CancelOwnOrder,
    HoldNumbers,
    HoldRandom,
    KeepProof,
    PlaceOrder,
    Step,
)
from shared.core.enums import Mode, OrderStatus, State
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    DRAW,
    EXPIRED,
    FACTS_BY_STATE,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    WINTER,
    build_facts,
    build_order,
)

FREE_PAID = replace(PAID, total=Decimal(0), raffle=replace(SUMMER, price=Decimal(0)))

MENU, MODE, QTY = State.MENU, State.CHOOSE_MODE, State.ASK_QTY
PICK, CONFIRM, WAIT, DONE = (
    State.ASK_PICK_NUMBERS,
    State.CONFIRM_RESERVATION,
    State.WAIT_PROOF,
    State.DONE,
)


def tap(do: ButtonAction, *values: int) -> ButtonTapped:
    return ButtonTapped(button_ids.build_button_id(do, *values))


def outcome(step: Step) -> str:
    """Return the effect or the lookup of a step, or the key of its reply."""
    asked = step.effect or step.lookup
    if asked is not None:
        return type(asked).__name__
    return step.replies[0].key if step.replies else "silence"


def take(state: State, event: ConversationEvent) -> Step:
    context, known = FACTS_BY_STATE[state]
    return flow.step(state, context, event, known)


WORDS: dict[str, tuple[ConversationEvent, dict[State, tuple[State, str]]]] = {
    "MENU": (
        TextReceived("Menu!"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MENU, "card"), QTY: (MENU, "card"),
            PICK: (MENU, "card"), CONFIRM: (MENU, "card"), WAIT: (MENU, "card"),
            DONE: (MENU, "card"),
        },
    ),
    "HELP": (
        TextReceived("help"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "card"),
            PICK: (PICK, "card"), CONFIRM: (CONFIRM, "card"), WAIT: (WAIT, "card"),
            DONE: (MODE, "card"),
        },
    ),
    "CANCEL": (
        TextReceived("CANCEL"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (MODE, "card"),
            PICK: (MODE, "card"), CONFIRM: (CONFIRM, "CancelOwnOrder"),
            WAIT: (WAIT, "CancelOwnOrder"),
            DONE: (DONE, "cancel_surely"),
        },
    ),
    "a misspelt cancel": (
        TextReceived("cancle"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (MODE, "card"),
            PICK: (MODE, "card"), CONFIRM: (CONFIRM, "cancel_surely"),
            WAIT: (WAIT, "cancel_surely"), DONE: (DONE, "cancel_surely"),
        },
    ),
    "my tickets": (TextReceived("my tickets"), {state: (state, "my_tickets") for state in State}),
    "a greeting": (
        TextReceived("hi"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "held"), WAIT: (WAIT, "still_to_pay"),
            DONE: (MODE, "card"),
        },
    ),
    "yes": (
        TextReceived("Yes"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "PlaceOrder"),
            WAIT: (WAIT, "still_to_pay"),
            DONE: (DONE, "under_review"),
        },
    ),
    "no": (
        TextReceived("no"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "what_instead"),
            WAIT: (WAIT, "still_to_pay"), DONE: (DONE, "under_review"),
        },
    ),
    "done": (
        TextReceived("done"),
        {
            **{state: (state, "answer_receipt") for state in (MENU, MODE, QTY, PICK)},
            CONFIRM: (CONFIRM, "held"), WAIT: (WAIT, "still_to_pay"), DONE: (DONE, "under_review"),
        },
    ),
    "a bare number": (
        TextReceived("5"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "quantity_or_number"),
            QTY: (QTY, "HoldRandom"), PICK: (PICK, "HoldNumbers"),
            CONFIRM: (MODE, "quantity_or_number"), WAIT: (MODE, "quantity_or_number"),
            DONE: (MODE, "quantity_or_number"),
        },
    ),
    "5 random": (
        TextReceived("5 random"),
        {
            MENU: (MENU, "raffle_list"), MODE: (QTY, "HoldRandom"), QTY: (QTY, "HoldRandom"),
            PICK: (QTY, "HoldRandom"), CONFIRM: (QTY, "HoldRandom"), WAIT: (QTY, "HoldRandom"),
            DONE: (QTY, "HoldRandom"),
        },
    ),
    "several numbers": (
        TextReceived("007, 13 and 45"),
        {
            MENU: (MENU, "raffle_list"), MODE: (PICK, "HoldNumbers"), QTY: (PICK, "HoldNumbers"),
            PICK: (PICK, "HoldNumbers"), CONFIRM: (PICK, "HoldNumbers"),
            WAIT: (PICK, "HoldNumbers"), DONE: (PICK, "HoldNumbers"),
        },
    ),
    "rules": (
        TextReceived("Rules, please."),
        {
            MENU: (MENU, "rules_which"),
            **{state: (state, "LookUpRules") for state in State if state is not MENU},
        },
    ),
    "misspelt rules": (
        TextReceived("ruels"),
        {
            MENU: (MENU, "rules_which"),
            **{state: (state, "LookUpRules") for state in State if state is not MENU},
        },
    ),
    "who won": (
        TextReceived("Who\'s the winner?"), {state: (state, "LookUpResults") for state in State},
    ),
    "verify": (TextReceived("verify"), {state: (state, "verify_how") for state in State}),
    "verify a number": (
        TextReceived("Verify #007"),
        {
            MENU: (MENU, "verify_which"),
            **{state: (state, "LookUpNumber") for state in State if state is not MENU},
        },
    ),
    "nonsense": (
        TextReceived("the weather is lovely"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "held"), WAIT: (WAIT, "still_to_pay"),
            DONE: (DONE, "under_review"),
        },
    ),
    "a voice message": (
        UnreadableReceived("audio"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "held"), WAIT: (WAIT, "still_to_pay"),
            DONE: (DONE, "under_review"),
        },
    ),
    "a photo that WhatsApp lost": (
        LostFileReceived(),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (QTY, "ask_quantity"),
            PICK: (PICK, "ask_numbers"), CONFIRM: (CONFIRM, "held"), WAIT: (WAIT, "still_to_pay"),
            DONE: (DONE, "under_review"),
        },
    ),
    "a first message that WhatsApp does not show": (
        UnsupportedReceived(first=True), {state: (state, "send_normally") for state in State},
    ),
    "a picture": (PictureReceived(), {state: (state, "KeepProof") for state in State}),
    "a tap on random": (
        tap(ButtonAction.RANDOM, 1), dict.fromkeys(State, (QTY, "ask_quantity")),
    ),
    "a tap on pick": (tap(ButtonAction.PICK, 1), dict.fromkeys(State, (PICK, "ask_numbers"))),
    "a tap on a raffle": (tap(ButtonAction.RAFFLE, 1), dict.fromkeys(State, (MODE, "card"))),
    "a tap on a quantity": (
        tap(ButtonAction.QUANTITY, 1, 3), dict.fromkeys(State, (QTY, "HoldRandom")),
    ),
    "a tap on my tickets": (
        tap(ButtonAction.MINE), {state: (state, "my_tickets") for state in State},
    ),
    "a tap on confirm": (
        tap(ButtonAction.CONFIRM, 10),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (MODE, "card"),
            PICK: (MODE, "card"), CONFIRM: (CONFIRM, "PlaceOrder"), WAIT: (WAIT, "how_to_pay"),
            DONE: (DONE, "under_review"),
        },
    ),
    "a tap on cancel": (
        tap(ButtonAction.CANCEL, 10),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (MODE, "card"),
            PICK: (MODE, "card"), CONFIRM: (CONFIRM, "CancelOwnOrder"),
            WAIT: (WAIT, "CancelOwnOrder"),
            DONE: (DONE, "cancel_surely"),
        },
    ),
    "a tap on rules": (
        tap(ButtonAction.RULES, 1), {state: (state, "LookUpRules") for state in State},
    ),
    "a tap on who won": (
        tap(ButtonAction.RESULTS), {state: (state, "LookUpResults") for state in State},
    ),
    "a tap on a number to verify": (
        tap(ButtonAction.VERIFY, 1, 7), {state: (state, "LookUpNumber") for state in State},
    ),
    "a tap on a name to show": (
        tap(ButtonAction.SHOW_NAME, 5), {state: (state, "SaveNameConsent") for state in State},
    ),
    "a tap on a name to hide": (
        tap(ButtonAction.HIDE_NAME, 5), {state: (state, "SaveNameConsent") for state in State},
    ),
    "a tap on 18 or older, where nothing waits for it": (
        tap(ButtonAction.ADULT, 1),
        dict.fromkeys(State, (MODE, "card")) | {CONFIRM: (CONFIRM, "held")},
    ),
    "a tap on not 18 yet": (
        tap(ButtonAction.MINOR, 1), dict.fromkeys(State, (MENU, "age_refused")),
    ),
    "a tap on somebody's button": (
        ButtonTapped("their-own-id", "Yes"),
        {
            MENU: (MENU, "raffle_list"), MODE: (MODE, "card"), QTY: (MODE, "card"),
            PICK: (MODE, "card"), CONFIRM: (MODE, "card"), WAIT: (MODE, "card"),
            DONE: (MODE, "card"),
        },
    ),
}  # fmt: skip


def test_numbers_that_are_held_instead_of_taken_ones_are_named() -> None:
    context = Context(raffle_id=1, mode=Mode.PICK, picked_numbers=(7, 8))
    known = build_facts(replace(DRAFT, mode=Mode.PICK, numbers=(17, 18)))

    step = flow.step(PICK, context, NumbersHeld(10, taken=(7,)), known)
    both = flow.step(PICK, context, NumbersHeld(10, taken=(7, 8)), known)

    assert step.replies[0].body.startswith("007 is taken, so I hold 017 and 018.\n\nHeld for you")
    assert both.replies[0].body.startswith("007 and 008 are taken, so I hold 017 and 018.")
    assert (step.state, step.context.picked_numbers) == (CONFIRM, (17, 18))


@pytest.mark.parametrize(
    ("available", "note"),
    [
        (3, "No other numbers are left, so these stay as they are."),
        (4, "Only 1 more is left, so these stay as they are."),
        (5, "Only 2 more are left, so these stay as they are."),
    ],
)
def test_a_hold_stays_if_too_few_are_left_to_add(available: int, note: str) -> None:
    context = Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM)
    refusal = EffectRefused("too_few_left", {"available": available, "kept": 3})

    step = flow.step(CONFIRM, context, refusal, build_facts(DRAFT))

    assert (step.state, step.replies[0].key) == (CONFIRM, "held")
    assert step.replies[0].body.startswith(f"{note}\n\n")


OUTCOMES: dict[str, tuple[ConversationEvent, Facts, tuple[State, str]]] = {
    "held": (NumbersHeld(10), build_facts(DRAFT), (CONFIRM, "held")),
    "placed": (OrderPlaced(10), build_facts(PENDING), (WAIT, "how_to_pay")),
    "placed for free": (OrderPlaced(10), build_facts(FREE_PAID), (DONE, "paid")),
    "called off": (
        OrderCancelled(10),
        build_facts(replace(EXPIRED, status=OrderStatus.CANCELLED)),
        (MENU, "cancelled"),
    ),
    "first proof": (ProofAddedToOrder(10), build_facts(REVIEWED), (DONE, "proof_received")),
    "another proof": (
        ProofAddedToOrder(10, first=False),
        build_facts(REVIEWED),
        (DONE, "proof_added"),
    ),
    "late proof, numbers back": (
        ProofAddedToOrder(10, late=True),
        build_facts(REVIEWED),
        (DONE, "late_proof_secured"),
    ),
    "late proof, numbers gone": (
        ProofAddedToOrder(10, late=True, secured=False),
        build_facts(EXPIRED),
        (MENU, "late_proof"),
    ),
    "sold out": (
        EffectRefused("too_few_left", {"available": 0}),
        build_facts(),
        (MENU, "sold_out"),
    ),
    "two left": (
        EffectRefused("too_few_left", {"available": 2}),
        build_facts(),
        (QTY, "too_few_left"),
    ),
    "taken": (
        EffectRefused("numbers_taken", {"taken": [7], "free": [13], "neighbours": [8]}),
        build_facts(),
        (PICK, "numbers_taken"),
    ),
    "unknown": (
        EffectRefused("numbers_unknown", {"unknown": [1000]}),
        build_facts(),
        (PICK, "ask_numbers"),
    ),
    "limit": (
        EffectRefused("contact_limit_reached", {"limit": 5, "remaining": 2}),
        build_facts(),
        (MODE, "limit_reached"),
    ),
    "cooling down": (
        EffectRefused("cooling_down", {"until": NOON}),
        build_facts(),
        (MODE, "cooling_down"),
    ),
    "one at a time": (
        EffectRefused("order_wants_payment", {"order_id": 10}),
        build_facts(PENDING),
        (WAIT, "still_to_pay"),
    ),
    "not selling": (
        EffectRefused("raffle_not_selling", {"reason": "paused"}),
        build_facts(),
        (MODE, "card"),
    ),
    "out of bounds": (
        EffectRefused("quantity_out_of_bounds", {"minimum": 1, "maximum": 20}),
        build_facts(),
        (QTY, "ask_quantity"),
    ),
    "hold over": (
        EffectRefused("order_expired", {"order_id": 10}),
        build_facts(EXPIRED),
        (MODE, "card"),
    ),
    "paid already": (
        EffectRefused("order_already_paid", {"order_id": 10}),
        build_facts(PAID),
        (QTY, "cannot_cancel"),
    ),
    "drawn again": (EffectRefused("result_replaced", {}), build_facts(), (MODE, "card")),
    "rules": (RulesFound(SUMMER, "Rules"), build_facts(), (QTY, "rules")),
    "no rules": (RulesFound(None), build_facts(), (MODE, "card")),
    "results": (ResultsFound((DRAW,)), build_facts(), (QTY, "results")),
    "no results": (ResultsFound(), build_facts(), (QTY, "results")),
    "verified": (
        NumberFound(NumberFacts(DRAW, 7, NumberStatus.SOLD)),
        build_facts(),
        (QTY, "verify"),
    ),
    "raffle of a link": (RaffleFound(SUMMER), build_facts(), (MODE, "card")),
    "nothing to verify": (NumberFound(None), build_facts(), (MODE, "card")),
    "named": (
        NameConsentSaved(consent=True, shown_as="Ana …34"),
        build_facts(),
        (QTY, "name_consent"),
    ),
    "something new": (EffectRefused("never_heard_of", {}), build_facts(), (QTY, "ask_quantity")),
}


class TestTable:
    @walk_cases(("name", "state"), product(WORDS, State))
    def test_every_state_answers_every_event(self, name: str, state: State) -> None:
        event, expected = WORDS[name]

        step = take(state, event)

        assert (step.state, outcome(step)) == expected[state]

    @walk_cases("name", OUTCOMES)
    def test_every_outcome_is_worded(self, name: str) -> None:
        event, known, expected = OUTCOMES[name]
        context = Context(raffle_id=1, mode=Mode.RANDOM, qty=30, draft_order_id=None)

        step = flow.step(QTY, context, event, known)

        assert (step.state, outcome(step)) == expected

    @pytest.mark.parametrize("state", State)
    def test_what_whatsapp_does_not_show_is_answered_only_while_it_may_be_a_receipt(
        self, state: State
    ) -> None:
        step = take(state, UnsupportedReceived(first=False))

        assert (step.state, step.context) == (state, FACTS_BY_STATE[state][0])
        assert step.effect is None
        assert [reply.key for reply in step.replies] == ["send_normally"] * (
            state in {CONFIRM, WAIT}
        )

    @walk_cases(("name", "state"), product(WORDS, State))
    def test_says_only_what_meta_accepts_and_one_message_a_turn(
        self, name: str, state: State
    ) -> None:
        step = take(state, WORDS[name][0])

        assert len(step.replies) <= 1
        assert (step.effect is None and step.lookup is None) == bool(step.replies)
        for reply in step.replies:
            assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == []


class TestMenu:
    def test_shows_the_card_at_once_when_one_raffle_is_open(self) -> None:
        step = flow.step(MENU, Context(), TextReceived("hi"), build_facts())

        assert (step.state, step.context.raffle_id, outcome(step)) == (MODE, 1, "card")

    def test_says_when_nothing_is_on_sale(self) -> None:
        step = flow.step(MENU, Context(), TextReceived("hi"), build_facts(raffles=()))

        assert (step.state, outcome(step)) == (MENU, "no_raffles")

    def test_understands_a_shortcut_in_the_very_first_message(self) -> None:
        step = flow.step(MENU, Context(), TextReceived("5 random"), build_facts())

        assert step.effect == HoldRandom(1, 5)

    @pytest.mark.parametrize("text", ["winter", "2", "Winter Raffle!"])
    def test_opens_a_raffle_by_name_or_place(self, text: str) -> None:
        step = flow.step(MENU, Context(), TextReceived(text), build_facts(raffles=(SUMMER, WINTER)))

        assert (step.state, step.context.raffle_id) == (MODE, 2)

    def test_pages_through_many_raffles_ten_rows_at_a_time(self) -> None:
        many = tuple(replace(SUMMER, id=n, title=f"Raffle {n}") for n in range(1, 26))
        shown: set[str] = set()
        step = flow.step(MENU, Context(), TextReceived("hi"), build_facts(raffles=many))
        for _ in range(3):
            rows = step.replies[0].rows
            assert len(rows) <= 10
            shown |= {row.title for row in rows[:9]}
            step = flow.step(MENU, Context(), ButtonTapped(rows[-1].id), build_facts(raffles=many))

        assert {f"Raffle {n}" for n in range(1, 26)} <= shown

    def test_names_a_live_order_and_its_deadline_and_leaves_it_alone(self) -> None:
        step = flow.step(
            WAIT,
            Context(raffle_id=1, draft_order_id=10),
            TextReceived("menu"),
            build_facts(PENDING),
        )

        assert step.effect is None
        assert "R-7K3F9" in step.replies[0].body
        assert "12:30" in step.replies[0].body


class TestNotUnderstood:
    def test_helps_shortly_names_a_person_the_third_time_and_then_falls_silent(self) -> None:
        context, known = FACTS_BY_STATE[QTY]
        keys, bodies = [], []
        for _ in range(5):
            step = flow.step(QTY, context, TextReceived("qwertz"), known)
            context = step.context
            keys.append([reply.key for reply in step.replies])
            bodies += [reply.body for reply in step.replies]

        assert keys == [["ask_quantity"], ["ask_quantity"], ["ask_a_person"], [], []]
        assert len(set(bodies[:3])) == 3
        assert "Ana" in bodies[2]

    def test_starts_counting_anew_once_something_is_understood(self) -> None:
        context, known = FACTS_BY_STATE[QTY]
        missed = flow.step(QTY, context.with_changes(misses=2), TextReceived("hi"), known)

        assert missed.context.misses == 0


class TestChoosing:
    def test_asks_whether_a_bare_number_is_a_quantity_or_a_ticket(self) -> None:
        step = take(MODE, TextReceived("5"))

        assert [button.title for button in step.replies[0].buttons[:2]] == [
            "5 random",
            "Number 005",
        ]

    @pytest.mark.parametrize(
        ("text", "effect"),
        [
            ("five", None),
            ("500", HoldNumbers(1, (500,))),
            ("005", HoldNumbers(1, (5,))),
            ("5 tickets", HoldRandom(1, 5)),
            ("0", HoldNumbers(1, (0,))),
        ],
    )
    def test_asks_only_where_both_are_possible(
        self, text: str, effect: HoldRandom | HoldNumbers | None
    ) -> None:
        assert take(MODE, TextReceived(text)).effect == effect

    def test_refuses_a_quantity_beyond_the_limits_with_the_limits(self) -> None:
        step = take(QTY, TextReceived("500"))

        assert step.effect is None
        assert "20" in step.replies[0].body

    def test_gives_a_hold_back_in_the_same_step_as_it_takes_another(self) -> None:
        step = flow.step(
            CONFIRM,
            Context(raffle_id=1, draft_order_id=10),
            TextReceived("5 random"),
            build_facts(DRAFT),
        )

        assert step.effect == HoldRandom(1, 5, replacing=10)

    def test_draws_again_when_random_numbers_do_not_please(self) -> None:
        step = take(CONFIRM, tap(ButtonAction.OTHERS, 10))

        assert step.effect == HoldRandom(1, 3, replacing=10)

    def test_asks_again_when_picked_numbers_do_not_please(self) -> None:
        picked = replace(DRAFT, mode=Mode.PICK)
        step = flow.step(
            CONFIRM,
            Context(raffle_id=1, draft_order_id=10),
            TextReceived("other numbers"),
            build_facts(picked),
        )

        assert (step.state, outcome(step)) == (PICK, "ask_numbers")


class TestOldButtons:
    def test_explains_a_tap_on_a_raffle_that_is_paused(self) -> None:
        paused = replace(SUMMER, not_selling_reason="paused")
        step = flow.step(
            MENU,
            Context(),
            tap(ButtonAction.RANDOM, 1),
            build_facts(replace(PAID, raffle=paused), raffles=(WINTER,)),
        )

        assert "paused" in step.replies[0].body

    def test_explains_a_tap_on_confirm_after_the_hold_ran_out(self) -> None:
        step = flow.step(MENU, Context(), tap(ButtonAction.CONFIRM, 10), build_facts(EXPIRED))

        assert "ran out" in step.replies[0].body

    def test_shows_how_to_pay_when_confirm_is_tapped_twice(self) -> None:
        assert outcome(take(WAIT, tap(ButtonAction.CONFIRM, 10))) == "how_to_pay"

    @pytest.mark.parametrize(
        "tap_id",
        [
            "",
            "r1",
            "r1:confirm",
            "r1:confirm:x",
            "r0:menu",
            "r1:qty:1",
            "r1:page:-1",
            "r1:confirm:99999999999999999999999",
        ],
    )
    def test_survives_any_id(self, tap_id: str) -> None:
        step = flow.step(MENU, Context(), ButtonTapped(tap_id), build_facts())

        assert step.replies


class TestCancelling:
    def test_asks_which_when_several_orders_are_live(self) -> None:
        second = replace(PENDING, id=11, code="R-8K3F9", raffle=WINTER)
        step = flow.step(
            MENU,
            Context(),
            TextReceived("cancel"),
            build_facts(PENDING, second, raffles=(SUMMER, WINTER)),
        )

        assert outcome(step) == "cancel_which"

    def test_cancels_on_a_yes_to_the_question(self) -> None:
        asked = flow.step(
            DONE, FACTS_BY_STATE[DONE][0], TextReceived("cancel"), build_facts(REVIEWED)
        )
        step = flow.step(asked.state, asked.context, TextReceived("yes"), build_facts(REVIEWED))

        assert step.effect == CancelOwnOrder(10)

    def test_keeps_the_order_on_a_no_to_the_question(self) -> None:
        asked = flow.step(
            DONE, FACTS_BY_STATE[DONE][0], TextReceived("cancel"), build_facts(REVIEWED)
        )
        step = flow.step(asked.state, asked.context, TextReceived("no"), build_facts(REVIEWED))

        assert step.effect is None
        assert "stays" in step.replies[0].body

    def test_forgets_the_question_when_the_buyer_goes_on(self) -> None:
        asked = flow.step(
            DONE, FACTS_BY_STATE[DONE][0], TextReceived("cancel"), build_facts(REVIEWED)
        )
        gone_on = flow.step(
            asked.state, asked.context, TextReceived("my tickets"), build_facts(REVIEWED)
        )
        step = flow.step(gone_on.state, gone_on.context, TextReceived("yes"), build_facts(REVIEWED))

        assert step.effect is None


class TestProofs:
    def test_belongs_to_the_order_it_replies_to(self) -> None:
        second = replace(PENDING, id=11, code="R-8K3F9", raffle=WINTER)
        step = flow.step(
            WAIT, Context(draft_order_id=10), PictureReceived(11), build_facts(PENDING, second)
        )

        assert step.effect == KeepProof(11)

    def test_belongs_to_the_only_order_that_wants_one(self) -> None:
        assert flow.step(
            MENU, Context(), PictureReceived(), build_facts(PAID, replace(PENDING, id=11))
        ).effect == KeepProof(11)

    def test_is_kept_for_the_latest_order_when_that_has_ended(self) -> None:
        assert flow.step(
            MENU, Context(), PictureReceived(), build_facts(EXPIRED)
        ).effect == KeepProof(10)

    def test_is_kept_without_any_order_and_said_so(self) -> None:
        step = flow.step(MENU, Context(), PictureReceived(), build_facts())
        told = flow.step(MENU, Context(), ProofWithoutOrder(77), build_facts())

        assert step.effect == KeepProof(None)
        assert outcome(told) == "orphan_proof"

    def test_of_an_album_is_acknowledged_once(self) -> None:
        step = flow.step(
            DONE,
            Context(draft_order_id=10),
            ProofAddedToOrder(10, first=False, quiet=True),
            build_facts(REVIEWED),
        )

        assert step.replies == ()


class TestSquaring:
    def test_sees_that_the_seller_confirmed_meanwhile(self) -> None:
        step = flow.step(
            WAIT, Context(raffle_id=1, draft_order_id=10), TextReceived("ok"), build_facts(PAID)
        )

        assert (step.state, outcome(step)) == (DONE, "all_done")

    def test_sees_that_a_proof_was_rejected_meanwhile(self) -> None:
        step = flow.step(
            DONE, Context(raffle_id=1, draft_order_id=10), TextReceived("ok"), build_facts(PENDING)
        )

        assert (step.state, outcome(step)) == (WAIT, "still_to_pay")

    def test_sees_that_the_hold_ran_out_meanwhile(self) -> None:
        step = flow.step(
            CONFIRM,
            Context(raffle_id=1, draft_order_id=10),
            TextReceived("yes"),
            build_facts(EXPIRED),
        )

        assert step.effect is None
        assert step.state is MODE

    def test_sees_that_the_raffle_closed_meanwhile(self) -> None:
        step = flow.step(QTY, Context(raffle_id=1), TextReceived("5"), build_facts(raffles=()))

        assert (step.state, outcome(step)) == (MENU, "no_raffles")

    def test_places_nothing_that_is_gone_from_the_facts(self) -> None:
        step = flow.step(
            CONFIRM, Context(raffle_id=1, draft_order_id=99), TextReceived("yes"), build_facts()
        )

        assert not isinstance(step.effect, PlaceOrder)


class TestFreeRaffle:
    FREE: RaffleFacts = FREE_PAID.raffle
    FREE_DRAFT: OrderFacts = replace(FREE_PAID, status=OrderStatus.DRAFT, expires_at=NOON)

    def test_says_free_instead_of_a_price(self) -> None:
        known = build_facts(raffles=(self.FREE,))
        listed = build_facts(raffles=(self.FREE, WINTER))

        card = flow.step(MENU, Context(), TextReceived("hi"), known).replies[0]
        rows = flow.step(MENU, Context(), TextReceived("hi"), listed).replies[0].rows

        assert "· free · 743 of 1,000 left" in card.body
        assert rows[0].description == "free · 743 left · a motorbike"

    def test_asks_for_no_payment_when_numbers_are_held(self) -> None:
        known = build_facts(self.FREE_DRAFT, raffles=(self.FREE,))

        step = flow.step(MODE, Context(raffle_id=1), NumbersHeld(10), known)

        assert step.replies[0].body.endswith("\nFree, there is nothing to pay.")

    def test_is_complete_once_confirmed(self) -> None:
        known = build_facts(FREE_PAID, raffles=(self.FREE,))

        step = flow.step(CONFIRM, Context(raffle_id=1), OrderPlaced(10), known)

        assert (step.state, step.context.draft_order_id) == (DONE, 10)
        assert step.replies[0].body.startswith("All set. *007 · 213 · 845* are yours.")

    @walk_cases(
        ("status", "under_review", "words"),
        product(
            OrderStatus,
            [True, False],
            ["hi", "my tickets", "how do I pay?", "paid", "yes", "cancel"],
        ),
    )
    def test_speaks_of_no_money_whatever_the_buyer_writes(
        self, status: OrderStatus, under_review: bool, words: str
    ) -> None:
        order = replace(
            self.FREE_DRAFT,
            status=status,
            under_review=under_review and status == "PENDING_PAYMENT",
        )
        known = build_facts(order, raffles=(self.FREE,))

        step = flow.step(
            derive_order_state(order),
            Context(raffle_id=1, draft_order_id=10),
            TextReceived(words),
            known,
        )

        said = " ".join(reply.body for reply in step.replies).replace("nothing to pay", "")
        assert not [word for word in ("$", "0.00", "payment") if word in said]

    def test_keeps_a_picture_as_for_any_paid_order(self) -> None:
        known = build_facts(FREE_PAID, raffles=(self.FREE,))
        context = Context(raffle_id=1, draft_order_id=10)

        step = flow.step(DONE, context, PictureReceived(), known)
        told = flow.step(DONE, context, ProofAddedToOrder(10, first=False), known)

        assert step.effect == KeepProof(10)
        assert "costs nothing" in told.replies[0].body


class TestContext:
    def test_comes_back_from_json_as_it_was(self) -> None:
        context = Context(1, Mode.PICK, 3, 10, (7, 13), "r1:menu", 2, 41, 77, (10, 11))

        assert Context.from_json(context.to_json()) == context

    @pytest.mark.parametrize(
        "stored", [{}, {"mode": "SOMETHING"}, {"qty": "five"}, {"picked_numbers": None}]
    )
    def test_reads_what_it_does_not_know_as_absent(self, stored: dict[str, object]) -> None:
        assert Context.from_json(stored) == Context()

    def test_of_an_order_names_every_number_it_can(self) -> None:
        assert build_order().numbers == (7, 213, 845)
