"""Every member of an enum or a union has its place in the conversation."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import product
from typing import Final, get_args

import pytest

from shared.conversation import button_ids, flow
from shared.conversation.button_ids import ButtonAction, ButtonId
from shared.conversation.conversation_events import (
    ButtonTapped,
    BuyerInput,
    ConversationEvent,
    EffectOutcome,
    EffectRefused,
    FreeNumbersFound,
    LookupOutcome,
    LostFileReceived,
    NameConsentSaved,
    NumberFound,
    NumbersChecked,
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
from shared.conversation.facts.values import OrderFacts
from shared.conversation.flow import effect_results
from shared.conversation.flow.numbers.bare_numbers import BareNumberMeaning, get_bare_number_meaning
from shared.conversation.flow.reconcile import derive_order_state, reconcile_state
from shared.conversation.flow.screens import repeat_prompt
from shared.conversation.texts import (
    draws,
    my_tickets,
    order_status,
    order_updates,
    orders,
    parts,
    raffle_updates,
    raffles,
)
from shared.conversation.understanding.numbers.number_patterns import NumberPattern
from shared.conversation.understanding.reader import read_text
from shared.core.enums import DrawMethod, Mode, OrderStatus, RaffleStatus, RejectReason, State
from shared.core.errors import DomainError
from shared.raffles import errors
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    DRAFT,
    DRAW,
    EXPIRED,
    FACTS_BY_STATE,
    NOON,
    PENDING,
    SUMMER,
    build_facts,
)

EVENTS: Final[Mapping[type, ConversationEvent]] = {
    TextReceived: TextReceived("when is the weather good?"),
    ButtonTapped: ButtonTapped("r1:menu"),
    PictureReceived: PictureReceived(),
    LostFileReceived: LostFileReceived(),
    UnreadableReceived: UnreadableReceived("audio"),
    UnsupportedReceived: UnsupportedReceived(first=True),
    NumbersHeld: NumbersHeld(10),
    OrderPlaced: OrderPlaced(10),
    OrderCancelled: OrderCancelled(10),
    ProofAddedToOrder: ProofAddedToOrder(10),
    ProofWithoutOrder: ProofWithoutOrder(77),
    NameConsentSaved: NameConsentSaved(consent=True, shown_as="Ana …34"),
    RulesFound: RulesFound(SUMMER, "Rules of the draw\n"),
    ResultsFound: ResultsFound((DRAW,)),
    NumberFound: NumberFound(NumberFacts(DRAW, 7, NumberStatus.SOLD)),
    RaffleFound: RaffleFound(SUMMER),
    FreeNumbersFound: FreeNumbersFound(SUMMER, NumberPattern(ending="7"), (7, 17, 27)),
    NumbersChecked: NumbersChecked(SUMMER, free=(7,), taken=(13,), neighbours=(12, 14)),
    EffectRefused: EffectRefused("never_heard_of"),
}
BUTTON_VALUES: Final[Mapping[ButtonAction, tuple[int, ...]]] = {
    ButtonAction.MENU: (),
    ButtonAction.PAGE: (1,),
    ButtonAction.MINE: (),
    ButtonAction.RAFFLE: (1,),
    ButtonAction.RANDOM: (1,),
    ButtonAction.PICK: (1,),
    ButtonAction.QUANTITY: (1, 5),
    ButtonAction.NUMBERS: (1, 7),
    ButtonAction.CONFIRM: (10,),
    ButtonAction.OTHERS: (10,),
    ButtonAction.CANCEL: (10,),
    ButtonAction.CANCEL_SURELY: (10,),
    ButtonAction.KEEP: (10,),
    ButtonAction.GIVE_BACK: (10,),
    ButtonAction.PAY: (10,),
    ButtonAction.PROOF: (77, 10),
    ButtonAction.CANCEL_PAGE: (1,),
    ButtonAction.PAY_PAGE: (1,),
    ButtonAction.PROOF_PAGE: (77, 1),
    ButtonAction.RULES: (1,),
    ButtonAction.RESULTS: (),
    ButtonAction.VERIFY: (1, 7),
    ButtonAction.ADULT: (1,),
    ButtonAction.MINOR: (1,),
    ButtonAction.SHOW_NAME: (5,),
    ButtonAction.HIDE_NAME: (5,),
    ButtonAction.PERSON: (),
}
ORDER_STATES: Final[Mapping[OrderStatus, State]] = {
    OrderStatus.DRAFT: State.CONFIRM_RESERVATION,
    OrderStatus.PENDING_PAYMENT: State.WAIT_PROOF,
    OrderStatus.PAID: State.DONE,
    OrderStatus.CANCELLED: State.MENU,
    OrderStatus.EXPIRED: State.MENU,
}


class TestStates:
    @walk_cases(
        ("state", "kind"),
        product(
            State,
            [
                *get_args(BuyerInput.__value__),
                *get_args(EffectOutcome.__value__),
                *get_args(LookupOutcome.__value__),
            ],
        ),
    )
    def test_answers_every_kind_of_event(self, state: State, kind: type) -> None:
        context, known = FACTS_BY_STATE[state]
        known = replace(known, orders=known.orders or (PENDING,))

        step = flow.step(state, context, EVENTS[kind], known)

        assert [bool(step.effect), bool(step.lookup), bool(step.replies)].count(True) == 1

    @walk_cases(("state", "action"), product(State, ButtonAction))
    def test_answers_every_button(self, state: State, action: ButtonAction) -> None:
        context, known = FACTS_BY_STATE[state]
        tap = ButtonTapped(button_ids.build_button_id(action, *BUTTON_VALUES[action]))

        step = flow.step(state, context, tap, known)

        assert [bool(step.effect), bool(step.lookup), bool(step.replies)].count(True) == 1

    @walk_cases("state", State)
    def test_stays_as_it_is_in_its_usual_situation(self, state: State) -> None:
        context, known = FACTS_BY_STATE[state]

        assert reconcile_state(state, context, known) == (state, context)

    @walk_cases("state", State)
    def test_repeats_its_prompt_with_a_note(self, state: State) -> None:
        context, known = FACTS_BY_STATE[state]

        step = repeat_prompt(state, context, known, note="Sorry.")

        assert step.state is state
        assert step.replies[0].body.startswith("Sorry.\n\n")


@pytest.mark.parametrize("action", ButtonAction)
class TestButtonIds:
    def test_come_back_as_they_were_built(self, action: ButtonAction) -> None:
        values = BUTTON_VALUES[action]

        built = button_ids.build_button_id(action, *values)

        assert button_ids.parse_button_id(built) == ButtonId(action, values)

    def test_count_as_unknown_with_a_value_too_few(self, action: ButtonAction) -> None:
        values = BUTTON_VALUES[action]
        assert len(values) == button_ids.count_required_values(action)

        for count in range(len(values)):
            incomplete = button_ids.build_button_id(action, *values[:count])
            assert button_ids.parse_button_id(incomplete) is None


ENDED: Final = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


@pytest.mark.parametrize("status", OrderStatus)
class TestOrderStatuses:
    def test_lead_to_a_state(self, status: OrderStatus) -> None:
        assert derive_order_state(replace(PENDING, status=status)) is ORDER_STATES[status]

    def test_are_worded_in_my_tickets(self, status: OrderStatus) -> None:
        reply = my_tickets.build_my_tickets_message(
            [replace(PENDING, status=status, needs_decision=status in ENDED)], now=NOON
        )

        _, _, status_line = reply.body.split("\n")
        assert status_line

    def test_are_worded_in_a_reminder(self, status: OrderStatus) -> None:
        order = replace(PENDING, status=status, needs_decision=status in ENDED)

        note = raffles.build_reminders_note([order], now=NOON, raffle=SUMMER)

        over = (
            "Your order *R-7K3F9* is over. Your payment is not lost: Ana, +1 555 0100 will decide "
            "with you what to do."
        )
        words = {
            OrderStatus.DRAFT: "Held for you until 12:30 (30 minutes left): *007 · 213 · 845*",
            OrderStatus.PENDING_PAYMENT: (
                "Your order *R-7K3F9* waits for $15.00 until 12:30 (30 minutes left)."
            ),
            OrderStatus.PAID: "",
            OrderStatus.CANCELLED: over,
            OrderStatus.EXPIRED: over,
        }
        assert note == words[status]

    def test_are_worded_when_one_more_proof_comes(self, status: OrderStatus) -> None:
        body = orders.build_proof_added_message(replace(PENDING, status=status)).body

        assert "rder *R-7K3F9*" in body
        assert {
            OrderStatus.DRAFT: "We are checking the payment.",
            OrderStatus.PENDING_PAYMENT: "We are checking the payment.",
            OrderStatus.PAID: "is paid already.",
            OrderStatus.CANCELLED: "is over. Ana, +1 555 0100 will look at it.",
            OrderStatus.EXPIRED: "is over. Ana, +1 555 0100 will look at it.",
        }[status] in body

    def test_are_worded_when_they_cannot_be_cancelled(self, status: OrderStatus) -> None:
        body = orders.build_cannot_cancel_message(replace(PENDING, status=status)).body

        assert {
            OrderStatus.DRAFT: "cannot be cancelled now. Please ask Ana",
            OrderStatus.PENDING_PAYMENT: "cannot be cancelled now. Please ask Ana",
            OrderStatus.PAID: "is paid, I cannot cancel it. Please ask Ana",
            OrderStatus.CANCELLED: "is over, so there is nothing to cancel",
            OrderStatus.EXPIRED: "is over, so there is nothing to cancel",
        }[status] in body

    def test_are_worded_when_they_have_ended(self, status: OrderStatus) -> None:
        note = order_status.build_order_ended_note(replace(PENDING, status=status))

        over = "The time for R-7K3F9 ran out; its numbers are free again."
        words = {
            OrderStatus.DRAFT: over,
            OrderStatus.PENDING_PAYMENT: over,
            OrderStatus.PAID: "Order R-7K3F9 is complete.",
            OrderStatus.CANCELLED: "Order R-7K3F9 has been cancelled; its numbers are free again.",
            OrderStatus.EXPIRED: over,
        }
        assert note == words[status]

    @pytest.mark.parametrize("secured", [True, False])
    def test_are_worded_when_a_late_proof_comes(self, status: OrderStatus, secured: bool) -> None:
        order = replace(PENDING, status=status)

        body = orders.build_late_proof_message(order, secured=secured).body
        payment = order_updates.build_late_payment_message(order).body

        is_cancelled = status is OrderStatus.CANCELLED
        assert ("was cancelled" in body) == (is_cancelled and not secured)
        assert ("was cancelled" in payment) == is_cancelled
        assert ("had run out" in body) != ("was cancelled" in body)
        assert ("had run out" in payment) != is_cancelled

    def test_are_worded_when_they_are_over(self, status: OrderStatus) -> None:
        drawn = replace(SUMMER, draw_time_reached=True)

        assert (
            parts.describe_end(replace(PENDING, status=status))
            == {
                OrderStatus.DRAFT: "The order is over",
                OrderStatus.PENDING_PAYMENT: "The order is over",
                OrderStatus.PAID: "The order is over",
                OrderStatus.CANCELLED: "The order was cancelled",
                OrderStatus.EXPIRED: "Its time is over",
            }[status]
        )
        if status is OrderStatus.EXPIRED:
            ended = replace(PENDING, status=status, raffle=drawn)
            assert parts.describe_end(ended) == "The time of the draw has come"


@pytest.mark.parametrize("mode", Mode)
def test_other_numbers_are_offered_in_every_mode(mode: Mode) -> None:
    tap = ButtonTapped(button_ids.build_button_id(ButtonAction.OTHERS, DRAFT.id))
    context, _ = FACTS_BY_STATE[State.CONFIRM_RESERVATION]

    step = flow.step(
        State.CONFIRM_RESERVATION, context, tap, build_facts(replace(DRAFT, mode=mode))
    )

    assert step.context.mode is mode


@pytest.mark.parametrize("state", State)
def test_a_bare_number_has_a_step_in_every_state(state: State) -> None:
    context, known = FACTS_BY_STATE[state]

    step = flow.step(state, context, TextReceived("5"), known)

    assert get_bare_number_meaning(state) in BareNumberMeaning
    assert step.effect or step.replies


@walk_cases(("command", "state"), product(("menu", "help", "cancel"), State))
def test_every_command_is_understood_and_answered(command: str, state: State) -> None:
    context, known = FACTS_BY_STATE[state]

    step = flow.step(state, context, TextReceived(command), known)
    misspelt = flow.step(state, context, TextReceived(command[:-1] + "x"), known)

    assert read_text(command).intent == command
    assert step.effect or step.replies
    assert misspelt.effect is None
    assert misspelt.replies


@walk_cases(("text", "state"), product(("RULES!", "WHO WON!", "VERIFY!"), State))
def test_every_question_about_a_draw_is_understood_in_every_state_and_changes_nothing(
    text: str, state: State
) -> None:
    context, known = FACTS_BY_STATE[state]

    step = flow.step(state, context, TextReceived(text), known)

    assert (step.state, step.context, step.effect) == (state, context, None)
    assert step.lookup or step.replies


@pytest.mark.parametrize("method", DrawMethod)
def test_every_method_of_drawing_is_named_on_the_card(method: DrawMethod) -> None:
    card = raffles.build_raffle_card_message(replace(SUMMER, draw_method=method), now=NOON)

    assert f"Draw: Sat 12 Dec, 20:00, {draws.METHOD_PHRASES[method]} · " in card.body


@pytest.mark.parametrize("reason", RejectReason)
@pytest.mark.parametrize("order", [PENDING, EXPIRED])
def test_every_reject_reason_is_worded(reason: RejectReason, order: OrderFacts) -> None:
    others = [
        order_updates.build_rejected_message(order, reason=other, note="", now=NOON).body
        for other in RejectReason
        if other is not reason
    ]

    body = order_updates.build_rejected_message(order, reason=reason, note="", now=NOON).body

    assert body not in others


@pytest.mark.parametrize(
    "reason", [*(status.lower() for status in RaffleStatus if status != "OPEN"), "not_yet", "over"]
)
def test_every_reason_why_a_raffle_sells_nothing_is_worded(reason: str) -> None:
    assert reason in raffles.NOT_SELLING_TEXTS
    assert "*Summer*" in raffles.build_not_selling_note("Summer", reason)


def list_domain_errors() -> list[type[DomainError]]:
    """List the errors of the raffle domain, which the effects may raise."""
    return [kind for kind in DomainError.__subclasses__() if kind.__module__ == errors.__name__]


NEVER_RAISED_BY_EFFECTS: Final = {
    "raffle_not_found",
    "numbers_missing",
    "proof_not_found",
    "proof_row_exists",
    "proof_elsewhere",
    "proof_not_viewable",
    "proof_under_review",
    "amount_out_of_bounds",
    "order_not_placed",
    "nothing_to_review",
    "rejection_note_missing",
    "asked_just_now",
    "decision_made",
    "amount_mismatch",
    "proof_unseen",
    "draw_date_missing",
    "draw_date_not_ahead",
    "draw_date_passed",
    "sales_end_not_ahead",
    "time_zone_not_confirmed",
    "orders_unsettled",
    "note_missing",
    "note_empty",
    "order_under_review",
    "enough_time_left",
    "note_too_long",
    "order_not_paid",
    "confirmation_replaced",
    "confirmation_undone",
    "cash_sale_not_undone",
    "order_refunded",
}
"""Codes of errors that only staff, the API or a command meet."""
ANSWERED_IN_GENERAL: Final = {"proof_settled", "transition_not_allowed"}
"""Codes of errors for which "That is not possible any more." says enough."""


def test_every_refusal_of_the_domain_has_exactly_one_place() -> None:
    places: list[Collection[str]] = [
        effect_results.ORDER_REFUSALS,
        effect_results.RAFFLE_REFUSALS,
        raffle_updates.NO_CHANGE_NOTES,
        NEVER_RAISED_BY_EFFECTS,
        ANSWERED_IN_GENERAL,
    ]

    counts = {
        kind.code: sum(kind.code in place for place in places) for kind in list_domain_errors()
    }

    assert counts
    assert {code: count for code, count in counts.items() if count != 1} == {}


@pytest.mark.parametrize("code", raffle_updates.NO_CHANGE_NOTES)
def test_a_change_that_the_draw_forbids_is_explained_above_the_menu(code: str) -> None:
    context, known = FACTS_BY_STATE[State.WAIT_PROOF]

    step = flow.step(State.WAIT_PROOF, context, EffectRefused(code, {"order_id": 10}), known)

    assert step.replies[0].body.startswith(raffle_updates.NO_CHANGE_NOTES[code])
    assert step.replies[0].key == "card"
