"""Tests of the handover to a person, and of STOP and START, as decisions."""

from dataclasses import replace
from itertools import product
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from shared.conversation import flow
from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    BuyerInput,
    PictureReceived,
    TextReceived,
    UnreadableReceived,
)
from shared.conversation.flow.screens import MISSES_BEFORE_PERSON
from shared.conversation.texts import parts
from shared.conversation.understanding import chat_wishes
from shared.conversation.understanding.text_normalization import normalize_text
from shared.conversation.values import CancelOwnOrder, ContactChange, KeepProof, Reply, Step
from shared.core.enums import SilenceReason, State
from shared.whatsapp.messages import ListRow, ReplyButton
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import FACTS_BY_STATE, PENDING, build_facts

PERSON_TAP: Final = ButtonTapped(build_button_id(ButtonAction.PERSON))
MENU_TAP: Final = ButtonTapped(build_button_id(ButtonAction.MENU))
PAUSED: Final = {"is_paused": True, "wants_person": True}
COMMANDS: Final = {"menu", "help", "cancel"}
WORDS: Final = (
    *("hi", "5", "5 random", "07, 13", "yes", "no", "done", "who won", "rules", "verify 7"),
    *("my tickets", "R-7K3F9", "cancle", "men", "hlep", "home", "info", "person", "not these"),
)


POLITE: Final = (
    *(
        "Thanks!",
        "ok",
        "OK 👍",
        "great",
        "got it",
        "Got it, thanks!",
        "👍",
        "gracias",
        "🙏",
        "hola",
    ),
    *("yes", "no", "hi", "thank you so much!", "perfect", "no problem", "...", "😂", "alright"),
)
QUESTIONS: Final = (
    *("hello?", "ok?", "?", "got it?", "ok but when", "no that is not right", "yes where is it"),
    *("hola no he recibido nada", "thanks, one more thing", "12", "I paid yesterday", "bye asdf"),
)


def take(state: State, event: BuyerInput, **facts: Any) -> Step:
    """Return the step of a state in its usual situation, with these facts changed."""
    context, known = FACTS_BY_STATE[state]
    return flow.step(state, context, event, replace(known, **facts))


def find_faults(reply: Reply) -> list[str]:
    """Return what Meta would refuse in a reply, as it is sent."""
    return meta_limits.find_message_faults(reply.to_whatsapp_message())


def list_choice_ids(step: Step) -> list[str]:
    """Return the ids of all buttons and rows of a step."""
    buttons = [button.id for reply in step.replies for button in reply.buttons]
    return buttons + [row.id for reply in step.replies for row in reply.rows]


class TestPerson:
    @walk_cases(("state", "event"), product(State, [PERSON_TAP, TextReceived("a person please")]))
    def test_is_promised_in_every_state(self, state: State, event: BuyerInput) -> None:
        step = take(state, event)

        assert step.contact_change is ContactChange.ASK_PERSON
        assert step.state is state
        [reply] = step.replies
        assert reply.key == "person_told"
        assert "Ana, +1 555 0100" in reply.body
        assert not find_faults(reply)

    def test_is_promised_again_to_who_taps_again(self) -> None:
        step = take(State.MENU, PERSON_TAP, **PAUSED)

        assert step.replies
        assert step.contact_change is None

    def test_is_asked_for_anew_after_the_pause(self) -> None:
        step = take(State.MENU, TextReceived("person"), wants_person=True)

        assert step.contact_change is ContactChange.ASK_PERSON

    @walk_cases("state", State)
    def test_is_offered_with_help(self, state: State) -> None:
        step = take(state, TextReceived("help"))

        assert PERSON_TAP.id in list_choice_ids(step)
        assert not find_faults(step.replies[-1])

    @walk_cases(("state", "misses"), product(State, range(1, MISSES_BEFORE_PERSON + 1)))
    def test_is_offered_from_the_second_miss_on(self, state: State, misses: int) -> None:
        context, known = FACTS_BY_STATE[state]
        missed = context.with_changes(misses=misses - 1)

        step = flow.step(state, missed, UnreadableReceived("audio"), known)

        assert (PERSON_TAP.id in list_choice_ids(step)) == (misses > 1)
        assert not find_faults(step.replies[-1])


class TestPause:
    @walk_cases(("state", "text"), product(State, WORDS))
    def test_leaves_words_to_the_person(self, state: State, text: str) -> None:
        step = take(state, TextReceived(text), **PAUSED)

        assert step.silence is SilenceReason.PERSON
        assert (step.replies, step.effect, step.lookup) == ((), None, None)
        assert (step.state, step.context) == (state, FACTS_BY_STATE[state][0])

    @given(state=st.sampled_from(State), text=st.text(max_size=40))
    def test_leaves_any_words_to_the_person(self, state: State, text: str) -> None:
        step = take(state, TextReceived(text), **PAUSED)

        spoke = bool(step.replies or step.effect or step.lookup)
        command = normalize_text(text).replace(" ", "")
        assert not spoke or command in COMMANDS or chat_wishes.find_wish(text) is not None

    @walk_cases("event", [TextReceived("Where are you?"), UnreadableReceived("audio")])
    def test_lists_who_writes_to_a_person_again(self, event: BuyerInput) -> None:
        step = take(State.DONE, event, is_paused=True)

        assert step.contact_change is ContactChange.WAIT_FOR_PERSON
        assert not step.replies

    @walk_cases("text", POLITE)
    def test_lists_nobody_for_politeness(self, text: str) -> None:
        assert take(State.DONE, TextReceived(text), is_paused=True).contact_change is None

    @walk_cases("text", QUESTIONS)
    def test_lists_whoever_says_more(self, text: str) -> None:
        step = take(State.DONE, TextReceived(text), is_paused=True)

        assert step.contact_change is ContactChange.WAIT_FOR_PERSON

    @walk_cases(
        ("state", "event"), product(State, [TextReceived("Menu!"), TextReceived("start"), MENU_TAP])
    )
    def test_ends_with_menu(self, state: State, event: BuyerInput) -> None:
        step = take(state, event, **PAUSED)

        assert step.contact_change is ContactChange.RESUME
        assert step.replies

    def test_menu_changes_nothing_without_a_pause(self) -> None:
        assert take(State.DONE, TextReceived("menu"), wants_person=True).contact_change is None

    def test_help_says_how_to_come_back(self) -> None:
        step = take(State.DONE, TextReceived("help"), **PAUSED)

        assert "quiet until you write *MENU*" in step.replies[0].body
        assert PERSON_TAP.id not in list_choice_ids(step)

    def test_cancel_cancels(self) -> None:
        step = take(State.WAIT_PROOF, TextReceived("CANCEL"), **PAUSED)

        assert step.effect == CancelOwnOrder(PENDING.id)

    @walk_cases("state", State)
    def test_taps_and_receipts_work(self, state: State) -> None:
        tap = ButtonTapped(build_button_id(ButtonAction.MINE))
        assert take(state, tap, **PAUSED).replies == take(state, tap).replies

        receipt = take(state, PictureReceived(), **PAUSED)
        assert isinstance(receipt.effect, KeepProof)


class TestStop:
    @walk_cases(
        ("state", "event"),
        product(State, [TextReceived("STOP"), ButtonTapped("Stop promotions", "Stop promotions")]),
    )
    def test_is_confirmed_and_leaves_the_purchase_alone(
        self, state: State, event: BuyerInput
    ) -> None:
        step = take(state, event)

        assert step.contact_change is ContactChange.STOP
        assert (step.state, step.context) == (state, FACTS_BY_STATE[state][0])
        assert step.effect is None
        [reply] = step.replies
        assert "*START*" in reply.body
        assert not find_faults(reply)

    def test_names_live_orders_with_their_time(self) -> None:
        step = take(State.WAIT_PROOF, TextReceived("stop"))

        assert (
            "Your order *R-7K3F9* waits for $15.00 until 12:30 (30 minutes left)."
            in step.replies[0].body
        )

    def test_is_confirmed_once(self) -> None:
        step = take(State.DONE, TextReceived("stop"), is_stopped=True)

        assert step.silence is SilenceReason.STOPPED
        assert not step.replies
        assert step.contact_change is None

    def test_works_during_a_pause(self) -> None:
        assert take(State.DONE, TextReceived("stop"), **PAUSED).replies

    @walk_cases("state", State)
    def test_other_words_are_answered_as_before(self, state: State) -> None:
        for text in WORDS:
            event = TextReceived(text)
            assert take(state, event, is_stopped=True) == take(state, event)

    @walk_cases("state", State)
    def test_ends_with_start(self, state: State) -> None:
        step = take(state, TextReceived("START"), is_stopped=True)

        assert step.contact_change is ContactChange.START
        assert step.state is State.MENU
        assert step.replies[0].body.startswith("Welcome back!")

    @walk_cases("state", State)
    def test_start_is_menu_without_a_stop(self, state: State) -> None:
        assert take(state, TextReceived("start")) == take(state, TextReceived("menu"))


class TestOneMoreChoice:
    BUTTONS: Final = tuple(ReplyButton(f"b{n}", f"Button {n}") for n in range(3))
    MORE: Final = parts.PERSON_BUTTON

    def test_is_a_button_if_there_is_room(self) -> None:
        reply = parts.add_choice(Reply("x", "text", buttons=self.BUTTONS[:2]), self.MORE)

        assert reply.buttons == (*self.BUTTONS[:2], self.MORE)

    def test_takes_the_place_of_my_tickets(self) -> None:
        full = (*self.BUTTONS[:2], parts.MY_TICKETS_BUTTON)

        reply = parts.add_choice(Reply("x", "text", buttons=full), self.MORE)

        assert reply.buttons == (*self.BUTTONS[:2], self.MORE)

    def test_makes_a_list_of_three_other_buttons(self) -> None:
        reply = parts.add_choice(Reply("x", "text", buttons=self.BUTTONS), self.MORE)

        assert [row.id for row in reply.rows] == ["b0", "b1", "b2", self.MORE.id]
        assert not reply.buttons

    def test_makes_a_list_of_a_long_text(self) -> None:
        long = Reply("x", "é" * 2000, buttons=self.BUTTONS[:1])

        assert [row.id for row in parts.add_choice(long, self.MORE).rows] == ["b0", self.MORE.id]

    def test_is_left_out_of_a_full_list(self) -> None:
        rows = tuple(ListRow(f"r{n}", f"Row {n}") for n in range(10))
        full = Reply("x", "text", rows=rows, list_button="More")

        assert parts.add_choice(full, self.MORE) == full
        assert len(parts.add_choice(replace(full, rows=rows[:9]), self.MORE).rows) == 10


def test_a_person_is_named_only_if_known() -> None:
    step = flow.step(
        State.MENU, Context(), TextReceived("agent"), replace(build_facts(), seller_contact="")
    )

    assert "reach them" not in step.replies[0].body
