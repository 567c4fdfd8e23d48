"""Handler of the text of a raffle's link, which opens the raffle's card in every state."""

from shared.conversation import raffle_links
from shared.conversation.context import Context
from shared.conversation.conversation_events import RaffleFound
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow.screens import show_menu, show_raffle_card
from shared.conversation.texts import raffles
from shared.conversation.values import LookUpRaffle, Step
from shared.core.enums import State


def handle_raffle_link(text: str, state: State, context: Context, facts: Facts) -> Step | None:
    """Return the step for the text of a raffle's link, or None for any other text.

    A text that says more than the link is another text. Like MENU, the step leaves live orders
    alone; the card names them.
    """
    found = raffle_links.parse_link_text(text)
    if found is None or not found.opens_raffle:
        return None
    raffle = facts.find_raffle(found.link.raffle_id)
    if raffle is None:
        return Step(state, context, lookup=LookUpRaffle(found.link.raffle_id))
    return _show_raffle(raffle, facts)


def remove_mark(text: str) -> str:
    """Return a text without the mark of a link, as it is read like any other."""
    found = raffle_links.parse_link_text(text)
    return text if found is None else found.words


def show_found_raffle(outcome: RaffleFound, facts: Facts) -> Step:
    """Show the raffle of a link that was looked up, or say why it cannot be bought."""
    if outcome.raffle is None:
        return show_menu(facts, note=raffles.build_unknown_link_note())
    return _show_raffle(outcome.raffle, facts)


def _show_raffle(raffle: RaffleFacts, facts: Facts) -> Step:
    if raffle in facts.raffles:
        return show_raffle_card(raffle, Context(), facts)
    reason = raffle.not_selling_reason or ""
    return show_menu(facts, note=raffles.build_not_selling_note(raffle.title, reason))
