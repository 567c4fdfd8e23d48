"""What a state shows, and what a buyer hears who was not understood."""

from shared.conversation.flow.reconcile import standing
from shared.conversation.texts import guidance, orders, raffles
from shared.conversation.values import Context, Facts, OrderFacts, RaffleFacts, Reply, Step
from shared.core.enums import OrderStatus, State

MISSES_BEFORE_A_PERSON = 3


def say(state: State, context: Context, reply: Reply) -> Step:
    """Answer something that was understood."""
    return Step(state, context.understood(), replies=(reply,))


def menu(facts: Facts, *, note: str = "", misses: int = 0) -> Step:
    """Start over: the list of raffles, or the card when there is just one."""
    context = Context(misses=misses)
    if not facts.raffles:
        reply = raffles.no_raffles(facts.seller)
        return Step(State.MENU, context, replies=(reply.after(note),))
    if len(facts.raffles) > 1:
        live = [o for o in facts.live_orders if o.wants_proof or not o.under_review]
        reminder = raffles.reminders(live, now=facts.now)
        reply = raffles.raffle_list(facts.raffles, note=reminder)
        return Step(State.MENU, context, replies=(reply.after(note),))
    return card(facts.raffles[0], context, facts, note=note)


def card(raffle: RaffleFacts, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Show one raffle; the buyer chooses how."""
    reply = raffles.card(raffle, live=facts.live_orders, now=facts.now)
    chosen = context.but(
        raffle_id=raffle.id, mode=None, qty=None, draft_order_id=None, picked_numbers=()
    )
    return Step(State.CHOOSE_MODE, chosen, replies=(reply.after(note),))


def prompt(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Show again what the buyer was asked last, in its present form."""
    raffle = facts.raffle(context.raffle_id)
    order = facts.order(context.draft_order_id)
    if state is State.CHOOSE_MODE and raffle is not None:
        return card(raffle, context, facts, note=note)
    if state is State.ASK_QTY and raffle is not None:
        return Step(state, context, replies=(raffles.ask_quantity(raffle, note=note),))
    if state is State.ASK_PICK_NUMBERS and raffle is not None:
        return Step(state, context, replies=(raffles.ask_numbers(raffle, note=note),))
    if order is not None and state is not State.MENU:
        return meet(order, context, facts, note=note)
    return menu(facts, note=note, misses=context.misses)


def meet(
    order: OrderFacts, context: Context, facts: Facts, *, note: str = "", pay: bool = False
) -> Step:
    """Show an order as it stands; with `pay` the full payment instructions."""
    state = standing(order)
    if state is State.MENU:
        return _ended(order, context, facts, note=note)
    known = context.but(raffle_id=order.raffle.id, draft_order_id=order.id)
    if state is State.CONFIRM_RESERVATION:
        reply = orders.held(order, now=facts.now)
    elif state is State.WAIT_PROOF:
        shown = orders.how_to_pay if pay else orders.still_to_pay
        reply = shown(order, now=facts.now)
    elif order.status is OrderStatus.PAID:
        reply = orders.all_done(order)
    else:
        reply = orders.under_review(order)
    return Step(state, known, replies=(reply.after(note),))


def _ended(order: OrderFacts, context: Context, facts: Facts, *, note: str) -> Step:
    """An order that is over: say so and show where to begin anew."""
    told = f"{note}\n\n{orders.lapsed(order)}" if note else orders.lapsed(order)
    if order.raffle.on_sale and facts.raffle(order.raffle.id) in facts.raffles:
        return card(order.raffle, context.understood(), facts, note=told)
    return menu(facts, note=told)


def not_understood(state: State, context: Context, facts: Facts, *, note: str = "") -> Step:
    """Ask again; the second time with a short help, the third time name a person."""
    misses = context.misses + 1
    counted = context.but(misses=misses)
    if misses >= MISSES_BEFORE_A_PERSON:
        raffle = facts.raffle(context.raffle_id)
        reply = guidance.ask_a_person(raffle.seller if raffle else facts.seller)
        return Step(state, counted, replies=(reply,))
    said = note or (guidance.not_understood() if misses == 1 else guidance.short_help())
    return prompt(state, counted, facts, note=said)
