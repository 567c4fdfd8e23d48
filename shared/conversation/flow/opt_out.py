"""STOP and START; `shared.whatsapp.services.opt_out` says what follows from them."""

from dataclasses import replace

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts
from shared.conversation.flow import commands
from shared.conversation.flow.screens import show_menu
from shared.conversation.texts import handover
from shared.conversation.values import ContactChange, Step
from shared.core.enums import SilenceReason, State


def stop(state: State, context: Context, facts: Facts) -> Step:
    """Confirm STOP once; orders and the question that is open stay as they are.

    A second STOP gets no answer, because that would be one more message.
    """
    if facts.is_stopped:
        return Step(state, context, silence=SilenceReason.STOPPED)
    reply = handover.build_stopped_message(facts.live_orders, now=facts.now)
    return Step(state, context, replies=(reply,), contact_change=ContactChange.STOP)


def start(facts: Facts) -> Step:
    """End a STOP and show the menu; without one, START means MENU."""
    if not facts.is_stopped:
        return commands.reset_to_menu(facts)
    step = show_menu(facts, note=handover.build_started_note())
    return replace(step, state=State.MENU, context=Context(), contact_change=ContactChange.START)
