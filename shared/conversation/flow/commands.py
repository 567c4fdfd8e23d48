"""The three words that work everywhere, "my tickets", and the answer to an open yes-or-no."""

from shared.conversation import button_ids, parsing
from shared.conversation.button_ids import Do
from shared.conversation.flow.screens import menu, prompt, say
from shared.conversation.parsing import Command, Heard
from shared.conversation.texts import guidance, orders
from shared.conversation.values import CallOff, Context, Facts, OrderFacts, Step
from shared.core.enums import State

_RESTING = {State.MENU, State.CHOOSE_MODE, State.DONE}
"""States in which help may show the menu without losing the buyer's place."""


def obey(heard: Heard, state: State, context: Context, facts: Facts) -> Step:
    """Do what a command says; of a word that destroys, a near miss is asked about."""
    match heard.command:
        case Command.MENU:
            return menu(facts)
        case Command.HELP:
            return _help(state, context, facts)
        case Command.CANCEL:
            return _cancel(state, context, facts, surely=heard.surely)


def _help(state: State, context: Context, facts: Facts) -> Step:
    raffle = facts.raffle(context.raffle_id)
    note = guidance.help_text(raffle.seller if raffle else facts.seller)
    shown = menu(facts, note=note)
    if state in _RESTING:
        return shown
    return Step(state, context.understood(), replies=shown.replies)


def _cancel(state: State, context: Context, facts: Facts, *, surely: bool) -> Step:
    live = facts.live_orders
    if not live:
        return menu(facts, note=orders.nothing_to_cancel())
    if len(live) > 1:
        return say(state, context, orders.cancel_which(live))
    return cancel(live[0], state, context, surely=surely)


def cancel(order: OrderFacts, state: State, context: Context, *, surely: bool) -> Step:
    """Cancel a live order, or ask once more where money may be under way."""
    if surely and not order.under_review:
        return Step(state, context.understood(), effect=CallOff(order.id))
    asking = context.understood().but(asked=button_ids.write(Do.CANCEL_SURELY, order.id))
    return Step(state, asking, replies=(orders.cancel_surely(order, meant=surely),))


def mine(state: State, context: Context, facts: Facts) -> Step:
    """Show what is the buyer's."""
    return say(state, context, orders.my_tickets(facts.orders, now=facts.now))


def keep(order: OrderFacts, state: State, context: Context, facts: Facts) -> Step:
    """Leave an order as it is and go on where the buyer was."""
    return prompt(state, context.understood(), facts, note=orders.kept(order))


def answer_to_question(state: State, context: Context, text: str, facts: Facts) -> Step | None:
    """Take a plain no to the open question; a yes is the tap it stands for (see the machine)."""
    tap = button_ids.read(context.asked)
    if tap is None or not parsing.is_no(text):
        return None
    order = facts.order(tap.subject)
    return keep(order, state, context, facts) if order else None
