"""Steps that hold numbers, or ask for a quantity or for ticket numbers."""

from typing import assert_never

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.screens import answer_with
from shared.conversation.texts import choosing, number_questions
from shared.conversation.values import HoldNumbers, HoldRandom, Reply, Step
from shared.core.enums import Mode, State


def hold_random(raffle: RaffleFacts, quantity: int, context: Context, facts: Facts) -> Step:
    """Hold random free numbers, or explain a quantity out of bounds."""
    chosen = context.without_open_question().with_changes(
        raffle_id=raffle.id, mode=Mode.RANDOM, qty=quantity, picked_numbers=()
    )
    if not raffle.min_per_order <= quantity <= raffle.max_per_order:
        note = choosing.build_quantity_out_of_bounds_note(raffle, quantity=quantity)
        return answer_with(
            State.ASK_QTY,
            chosen.with_changes(qty=None),
            choosing.build_ask_quantity_message(raffle, note=note),
        )
    effect = HoldRandom(raffle.id, quantity, replacing=_find_draft_id(raffle, facts))
    return Step(State.ASK_QTY, chosen, effect=effect)


def hold_numbers(
    raffle: RaffleFacts,
    numbers: tuple[int, ...],
    context: Context,
    facts: Facts,
    *,
    otherwise: tuple[int, ...] = (),
) -> Step:
    """Hold exactly these numbers, or others if some are taken; or explain what is wrong with them.

    Args:
        raffle: the raffle.
        numbers: the ticket numbers, ascending.
        context: the context.
        facts: the facts about the buyer.
        otherwise: the ticket numbers to hold if some of `numbers` are taken; empty: none.

    """
    chosen = context.without_open_question().with_changes(
        raffle_id=raffle.id, mode=Mode.PICK, qty=None
    )
    if not raffle.min_per_order <= len(numbers) <= raffle.max_per_order:
        note = choosing.build_quantity_out_of_bounds_note(raffle, quantity=len(numbers))
        return answer_with(
            State.ASK_PICK_NUMBERS, chosen, choosing.build_ask_numbers_message(raffle, note=note)
        )
    wanted = sorted({*numbers, *otherwise})
    unknown = [number for number in wanted if not raffle.has_ticket_number(number)]
    if unknown:
        note = choosing.build_unknown_numbers_note(raffle, unknown=unknown)
        return ask_numbers(raffle, chosen, note=note)
    replacing = _find_draft_id(raffle, facts)
    effect = HoldNumbers(raffle.id, numbers, replacing=replacing, otherwise=otherwise)
    return Step(State.ASK_PICK_NUMBERS, chosen.with_changes(picked_numbers=numbers), effect=effect)


def ask_quantity(raffle: RaffleFacts, context: Context) -> Step:
    """Ask for the quantity of random numbers."""
    chosen = context.with_changes(raffle_id=raffle.id, mode=Mode.RANDOM)
    return answer_with(State.ASK_QTY, chosen, choosing.build_ask_quantity_message(raffle))


def ask_numbers(raffle: RaffleFacts, context: Context, *, note: str = "") -> Step:
    """Ask for the ticket numbers."""
    chosen = context.with_changes(raffle_id=raffle.id, mode=Mode.PICK)
    return answer_with(
        State.ASK_PICK_NUMBERS, chosen, choosing.build_ask_numbers_message(raffle, note=note)
    )


def ask_more_numbers(hold: OrderFacts, context: Context) -> Step:
    """Ask which numbers come beside those of a hold; the state stays, so that they are added."""
    about = context.without_open_question().with_changes(
        raffle_id=hold.raffle.id, draft_order_id=hold.id, mode=Mode.PICK
    )
    reply = number_questions.build_which_more_message(hold)
    return answer_with(State.CONFIRM_RESERVATION, about, reply)


def ask_with_question(reply: Reply, raffle: RaffleFacts, state: State, context: Context) -> Step:
    """Ask something about numbers; a plain yes stands for the first button."""
    match state:
        case State.MENU | State.DONE | State.WAIT_PROOF:
            state = State.CHOOSE_MODE
        case State.CHOOSE_MODE | State.ASK_QTY | State.ASK_PICK_NUMBERS | State.CONFIRM_RESERVATION:
            pass
        case _:
            assert_never(state)
    asking = context.with_changes(raffle_id=raffle.id, misses=0, yes_button_id=reply.buttons[0].id)
    return Step(state, asking, replies=(reply,))


def _find_draft_id(raffle: RaffleFacts, facts: Facts) -> int | None:
    draft = facts.find_draft(raffle.id)
    return draft.id if draft else None


def offer_other_numbers(order: OrderFacts, context: Context) -> Step:
    """Replace the numbers of a hold: random ones are drawn again, picked ones are asked for."""
    raffle = order.raffle
    match order.mode:
        case Mode.RANDOM:
            chosen = context.without_open_question().with_changes(
                raffle_id=raffle.id, mode=Mode.RANDOM, qty=len(order.numbers)
            )
            effect = HoldRandom(raffle.id, len(order.numbers), replacing=order.id)
            return Step(State.CONFIRM_RESERVATION, chosen, effect=effect)
        case Mode.PICK:
            return ask_numbers(raffle, context)
        case _:
            assert_never(order.mode)
