"""The handover of a chat to a person, and wishes about the chat itself.

While the bot is paused, words get no answer: a person does that. What a buyer needs all the while
works as always: taps, receipts, the text of a raffle's link, which is as good as a tap, and the
exact words MENU (which brings the bot back), CANCEL, HELP, STOP and START.
"""

from dataclasses import replace
from typing import Final, assert_never

from shared.conversation import button_ids, raffle_links
from shared.conversation.button_ids import ButtonAction
from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    ButtonTapped,
    ConversationEvent,
    TextReceived,
    UnreadableReceived,
)
from shared.conversation.facts.values import Facts
from shared.conversation.flow import commands, opt_out
from shared.conversation.texts import handover
from shared.conversation.understanding.chat_wishes import ChatWish, find_tapped_wish, find_wish
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.reader import read_text
from shared.conversation.understanding.text_normalization import normalize_text
from shared.conversation.values import ContactChange, Step
from shared.core.enums import SilenceReason, State


def handle_event(
    event: ConversationEvent, state: State, context: Context, facts: Facts
) -> Step | None:
    """Return the step for a wish about the chat, or for words during a pause; None for all else."""
    match event:
        case TextReceived(text):
            return _handle_text(text, state, context, facts)
        case ButtonTapped(tap_id, title):
            wish = find_tapped_wish(tap_id, title)
            if wish is not None:
                return _handle_wish(wish, state, context, facts)
            return resume(facts) if facts.is_paused and _is_menu_button(tap_id) else None
        case UnreadableReceived() if facts.is_paused:  # e.g. a voice message to the person
            return _wait_quietly(state, context, facts)
        case _:
            return None


def ask_for_person(state: State, context: Context, facts: Facts) -> Step:
    """Tell a buyer that a person will answer, and pause the bot.

    A buyer who waits already is told so again if they tapped; their words get no answer.
    """
    seller = facts.find_seller_contact(context.raffle_id)
    reply = handover.build_person_told_message(seller)
    waits = facts.is_paused and facts.wants_person
    return Step(
        state,
        context.without_open_question(),
        replies=(reply,),
        contact_change=None if waits else ContactChange.ASK_PERSON,
    )


def resume(facts: Facts) -> Step:
    """Show the menu to a buyer who wants the bot back."""
    return replace(commands.reset_to_menu(facts), contact_change=ContactChange.RESUME)


def asks_person(text: str) -> bool:
    """Return whether a text wants an answer from the person who took the chat over.

    Politeness, a yes or no, fillers such as "ok", and the commands, which the bot answers, do not.
    """
    reading = read_text(text)
    is_understood = normalize_text(text) in _ACKNOWLEDGEMENTS and not reading.is_question
    if is_understood or _parse_exact_command(text) is not None:
        return False
    if reading.doubts or reading.unread or reading.wish is not None or reading.is_question:
        return True
    is_filler = reading.intent is Intent.UNKNOWN and not reading.core_words
    return not is_filler and not _POLITE.issuperset((reading.intent, *reading.others))


def _handle_text(text: str, state: State, context: Context, facts: Facts) -> Step | None:
    link = raffle_links.parse_link_text(text)
    if link is not None and link.opens_raffle:
        return None  # it shows the raffle, also during a pause
    text = text if link is None else link.other_words
    wish = find_wish(text)
    if wish is not None and not (facts.is_paused and wish is Intent.PERSON):
        return _handle_wish(wish, state, context, facts)
    if not facts.is_paused:
        return None
    match _parse_exact_command(text):
        case Intent.MENU:
            return resume(facts)
        case Intent.HELP | Intent.CANCEL:
            return None
        case _:
            return _wait_quietly(state, context, facts, is_question=asks_person(text))


def _handle_wish(wish: ChatWish, state: State, context: Context, facts: Facts) -> Step:
    match wish:
        case Intent.PERSON:
            return ask_for_person(state, context, facts)
        case Intent.STOP:
            return opt_out.stop(state, context, facts)
        case Intent.START if facts.is_paused and not facts.is_stopped:
            return resume(facts)
        case Intent.START:
            return opt_out.start(facts)
        case _:
            assert_never(wish)


def _wait_quietly(
    state: State, context: Context, facts: Facts, *, is_question: bool = True
) -> Step:
    """Answer nothing; the buyer waits for a person, also if one answered them before."""
    waits = facts.wants_person or not is_question
    return Step(
        state,
        context,
        contact_change=None if waits else ContactChange.WAIT_FOR_PERSON,
        silence=SilenceReason.PERSON,
    )


def _parse_exact_command(text: str) -> Intent | None:
    """Return the command that a text is, letter by letter; "home" and "info" are none."""
    words = normalize_text(text).removesuffix(" please").removeprefix("please ")
    return _EXACT_COMMANDS.get(words.replace(" ", ""))


_EXACT_COMMANDS: Final = {
    intent.value: intent for intent in (Intent.MENU, Intent.HELP, Intent.CANCEL)
}


_POLITE: Final = frozenset(
    {Intent.GREETING, Intent.FOREIGN_GREETING, Intent.THANKS, Intent.YES, Intent.NO}
)
_ACKNOWLEDGEMENTS: Final = frozenset({"got it", "got it thanks", "got it thank you", "received"})
"""Whole texts that say "understood", and something about a receipt elsewhere."""


def _is_menu_button(tap_id: str) -> bool:
    tap = button_ids.parse_button_id(tap_id)
    return tap is not None and tap.action is ButtonAction.MENU
