"""Questions about a draw that are answered in every state and change nothing."""

from collections.abc import Iterable
from typing import Final, assert_never

from shared.conversation.context import Context
from shared.conversation.conversation_events import (
    NameConsentSaved,
    NumberFound,
    ResultsFound,
    RulesFound,
)
from shared.conversation.facts.draw_values import NumberFacts
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow import age
from shared.conversation.flow.screens import show_menu
from shared.conversation.texts import draw_updates, draws, guidance
from shared.conversation.values import LookUpNumber, LookUpResults, LookUpRules, Reply, Step
from shared.core.enums import OrderStatus, State

MAX_OWN_DRAWS: Final = 3
"""Raffles of a buyer whose results are shown in one message."""


def handle_rules(state: State, context: Context, facts: Facts) -> Step:
    """Look up the rules of the raffle that the buyer is in; ask which one if there are several."""
    chosen = facts.find_raffle(context.raffle_id)
    known = [chosen] if chosen is not None else _list_known_raffles(facts)
    if not known:
        return show_menu(facts, note=draws.build_no_rules_note())
    if len(known) > 1:
        return _answer(state, context, draws.build_which_rules_message(known))
    return Step(state, age.close_other_questions(context), lookup=LookUpRules(known[0].id))


def look_up_results(state: State, context: Context, facts: Facts) -> Step:
    """Look up the draws of the buyer's raffles, the latest first, or else the latest ones."""
    own = [
        raffle
        for raffle in reversed(_list_own_raffles(facts))
        if raffle.is_sealed or raffle.is_drawn
    ]
    wanted = tuple(raffle.id for raffle in own[:MAX_OWN_DRAWS])
    return Step(state, context, lookup=LookUpResults(wanted))


def handle_verify(number: int | None, state: State, context: Context, facts: Facts) -> Step:
    """Look up a number of the raffle that is meant; ask which one if several may be."""
    if number is None:
        return _answer(state, context, draws.build_verify_how_message())
    chosen = facts.find_raffle(context.raffle_id)
    near = _drop_repeated([*_list_own_raffles(facts), *([chosen] if chosen is not None else [])])
    known = near or _list_known_raffles(facts)
    owned = [raffle for raffle in known if number in _list_own_numbers(raffle.id, facts)]
    meant = owned if len(owned) == 1 else known
    if len(meant) > 1:
        return _answer(state, context, draws.build_which_number_message(meant, number))
    raffle_id = meant[0].id if meant else None
    return Step(state, age.close_other_questions(context), lookup=LookUpNumber(raffle_id, number))


def show_lookup(
    outcome: RulesFound | ResultsFound | NumberFound, state: State, context: Context, facts: Facts
) -> Step:
    """Show what was looked up; the state stays."""
    match outcome:
        case RulesFound(None):
            return show_menu(facts, note=guidance.build_old_button_note())
        case RulesFound(raffle, text, url):
            assert raffle is not None  # noqa: S101 - the case above
            return _answer(state, context, draws.build_rules_message(raffle, text, url=url))
        case ResultsFound():
            return _answer(state, context, _build_results(outcome, facts))
        case NumberFound(None):
            return show_menu(facts, note=draws.build_nothing_to_verify_note())
        case NumberFound(found):
            assert found is not None  # noqa: S101 - the case above
            return _show_number(found, state, context, facts)
        case _:
            assert_never(outcome)


def _build_results(outcome: ResultsFound, facts: Facts) -> Reply:
    shown = {draw.raffle.id for draw in outcome.draws}
    ahead = [
        raffle
        for raffle in _list_known_raffles(facts)
        if not (raffle.is_called_off or raffle.is_drawn or raffle.id in shown)
    ]
    return draws.build_results_message(
        outcome.draws,
        upcoming=ahead[:MAX_OWN_DRAWS],
        own_numbers={raffle_id: _list_own_numbers(raffle_id, facts) for raffle_id in shown},
        now=facts.now,
    )


def _show_number(found: NumberFacts, state: State, context: Context, facts: Facts) -> Step:
    raffle_id = found.draw.raffle.id
    raffle = facts.find_raffle(raffle_id)
    reply = draws.build_number_message(
        found,
        is_own=found.number in _list_own_numbers(raffle_id, facts),
        can_take=raffle is not None
        and raffle.is_on_sale
        and raffle.min_per_order == 1
        and raffle.max_quantity > 0
        and facts.find_draft(raffle_id) is None,
        now=facts.now,
    )
    return _answer(state, context, reply)


def _answer(state: State, context: Context, reply: Reply) -> Step:
    return Step(state, age.close_other_questions(context), replies=(reply,))


def acknowledge_name_consent(outcome: NameConsentSaved, state: State, context: Context) -> Step:
    """Thank a winner for the answer whether they may be named."""
    reply = draw_updates.build_name_consent_message(
        consent=outcome.consent, shown_as=outcome.shown_as
    )
    return _answer(state, context, reply)


# ── the buyer's raffles ──────────────────────────────────────────────────────────────────────────


def _list_own_raffles(facts: Facts) -> list[RaffleFacts]:
    """Return the raffles of the buyer's orders that hold numbers, each once."""
    return _drop_repeated(order.raffle for order in facts.orders if order.holds_numbers)


def _list_known_raffles(facts: Facts) -> list[RaffleFacts]:
    """Return the buyer's raffles and those on sale, each once."""
    return _drop_repeated([*_list_own_raffles(facts), *facts.raffles])


def _drop_repeated(raffles: Iterable[RaffleFacts]) -> list[RaffleFacts]:
    return list({raffle.id: raffle for raffle in raffles}.values())


def _list_own_numbers(raffle_id: int, facts: Facts) -> set[int]:
    """Return the ticket numbers that the buyer has paid in a raffle."""
    return {
        number
        for order in facts.orders
        if order.raffle.id == raffle_id and order.status is OrderStatus.PAID
        for number in order.numbers
    }
