"""Changes of the numbers that a buyer has: more of them, fewer, or others.

A hold is the buyer's draft. Without one, the numbers that they asked for last are changed: these
are in the context while they could not be held, because some were taken. The result replaces the
hold in one step, so a refusal leaves it as it is. Numbers of a placed order do not change.
"""

from dataclasses import dataclass

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow import reserve
from shared.conversation.flow.reconcile import derive_order_state
from shared.conversation.flow.screens import show_menu, show_order
from shared.conversation.texts import choosing, number_changes, raffles
from shared.conversation.values import HoldNumbers, HoldRandom, Reply, Step
from shared.core.enums import Mode, OrderStatus, State

type _Numbers = tuple[int, ...]


def add_numbers(
    numbers: _Numbers,
    hold: OrderFacts | None,
    context: Context,
    facts: Facts,
    *,
    otherwise: _Numbers = (),
) -> Step:
    """Hold more numbers, as in "and 21" or "add 21 if it is free, otherwise 22".

    Args:
        numbers: the numbers to add.
        hold: the buyer's hold or placed order; None: they have none.
        context: the context.
        facts: the facts about the buyer.
        otherwise: the numbers to add instead if some of `numbers` are taken.

    """
    pick = _find_pick(hold, context, facts, more=numbers)
    if isinstance(pick, Step):
        return pick
    if pick.hold is not None and not {*numbers, *otherwise} - {*pick.numbers}:
        return pick.show(number_changes.build_already_yours_note(pick.raffle, set(numbers)))
    others = {*pick.numbers, *otherwise} if otherwise else set()
    return pick.take({*pick.numbers, *numbers}, otherwise=others)


def drop_numbers(
    numbers: _Numbers, hold: OrderFacts | None, context: Context, facts: Facts
) -> Step:
    """Give numbers back, as in "not 13"; all of them only after a question.

    Args:
        numbers: the numbers to give back.
        hold: the buyer's hold or placed order; None: they have none.
        context: the context.
        facts: the facts about the buyer.

    """
    pick = _find_pick(hold, context, facts)
    if isinstance(pick, Step):
        return pick
    dropped = {*numbers} & {*pick.numbers}
    rest = {*pick.numbers} - dropped
    if missing := {*numbers} - dropped:
        if pick.hold is None or not dropped or not rest:
            return pick.refuse_missing(missing)
        note = number_changes.build_not_yours_note(pick.raffle, missing)
        return pick.ask(
            number_changes.build_give_back_message(pick.hold, sorted(dropped), others=note)
        )
    return pick.take(rest) if rest else pick.ask_to_cancel()


def swap_numbers(
    old: _Numbers,
    new: _Numbers,
    hold: OrderFacts | None,
    context: Context,
    facts: Facts,
    *,
    otherwise: _Numbers = (),
) -> Step:
    """Hold other numbers in place of some, as in "14 instead of 13" or "swap 13".

    Args:
        old: the numbers to give back.
        new: the numbers to hold instead; empty: random ones.
        hold: the buyer's hold or placed order; None: they have none.
        context: the context.
        facts: the facts about the buyer.
        otherwise: the numbers to hold instead if some of `new` are taken; they may be `old`.

    """
    pick = _find_pick(hold, context, facts)
    if isinstance(pick, Step):
        return pick
    if missing := {*old} - {*pick.numbers}:
        return pick.refuse_missing(missing)
    rest = {*pick.numbers} - {*old}
    if not new:
        return pick.take_random(len(pick.numbers), keeping=rest)
    if {*new} <= rest or ({*new} == {*old} and pick.hold is not None):
        return pick.show(number_changes.build_already_yours_note(pick.raffle, set(new)))
    return pick.take(rest | {*new}, otherwise=rest | {*otherwise} if otherwise else set())


def add_random(quantity: int, hold: OrderFacts | None, context: Context, facts: Facts) -> Step:
    """Hold random numbers besides those that the buyer has, as in "one more".

    Args:
        quantity: how many more.
        hold: the buyer's hold or placed order; None: they have none.
        context: the context.
        facts: the facts about the buyer.

    """
    pick = _find_pick(hold, context, facts)
    if isinstance(pick, Step):
        return pick
    if pick.hold is None and not pick.numbers:
        return reserve.hold_random(pick.raffle, quantity, context, facts)
    return pick.take_random(len(pick.numbers) + quantity, keeping={*pick.numbers})


def ask_which_to_drop(hold: OrderFacts | None, context: Context, facts: Facts) -> Step:
    """Ask which number to give back, as after "give back one"; a yes is asked again.

    Args:
        hold: the buyer's hold or placed order; None: they have none.
        context: the context.
        facts: the facts about the buyer.

    """
    pick = _find_pick(hold, context, facts)
    if isinstance(pick, Step):
        return pick
    if pick.hold is None:
        return pick.show("")
    if len(pick.numbers) == 1:
        return pick.ask_to_cancel()
    if len(pick.numbers) <= pick.raffle.min_per_order:
        return pick.show(number_changes.build_too_few_note(pick.raffle))
    open_question = build_button_id(ButtonAction.GIVE_BACK, pick.hold.id)
    asking = pick.about_hold().with_changes(yes_button_id=open_question)
    reply = number_changes.build_drop_which_message(pick.hold)
    return Step(State.CONFIRM_RESERVATION, asking, replies=(reply,))


def _find_pick(
    hold: OrderFacts | None, context: Context, facts: Facts, *, more: _Numbers = ()
) -> "_Pick | Step":
    """Return the numbers that may be changed, or the step that says why they may not.

    Args:
        hold: the buyer's hold or placed order.
        context: the context.
        facts: the facts about the buyer.
        more: numbers that are to be added, which another order may do.

    """
    understood = context.without_open_question()
    if hold is None:
        raffle = facts.find_raffle(context.raffle_id)
        if raffle is None or not raffle.is_on_sale:
            return show_menu(facts)
        return _Pick(raffle, context.picked_numbers, None, understood, facts)
    pick = _Pick(hold.raffle, hold.numbers, hold, understood, facts)
    match hold.status:
        case OrderStatus.DRAFT if hold.raffle.is_on_sale:
            return pick
        case OrderStatus.DRAFT:
            raffle = hold.raffle
            note = raffles.build_not_selling_note(raffle.title, raffle.not_selling_reason or "")
            return pick.show("" if hold.has_lapsed else note)
        case OrderStatus.PENDING_PAYMENT | OrderStatus.PAID if not hold.has_lapsed:
            return _refuse_change(hold, understood, more=more)
        case _:
            return pick.show("")


def _refuse_change(order: OrderFacts, context: Context, *, more: _Numbers) -> Step:
    """Say that the numbers of a placed order stay; offer to buy those that are to be added."""
    raffle = order.raffle
    can_take = (
        raffle.is_on_sale
        and raffle.min_per_order <= len(more) <= raffle.max_quantity
        and all(raffle.has_ticket_number(n) and n not in order.numbers for n in more)
    )
    reply = number_changes.build_numbers_fixed_message(order, more=more if can_take else ())
    about = context.with_changes(raffle_id=raffle.id, draft_order_id=order.id)
    return Step(derive_order_state(order), about, replies=(reply,))


@dataclass(frozen=True, slots=True)
class _Pick:
    """The numbers that a buyer changes.

    Attributes:
        numbers: those that are held, or that were asked for.
        hold: the hold; None: the numbers are not held.
        context: the context without an open question.

    """

    raffle: RaffleFacts
    numbers: _Numbers
    hold: OrderFacts | None
    context: Context
    facts: Facts

    def show(self, note: str) -> Step:
        """Show the numbers as they are, below a note."""
        if self.hold is None:
            return reserve.ask_numbers(self.raffle, self.context, note=note)
        return show_order(self.hold, self.context, self.facts, note=note)

    def about_hold(self) -> Context:
        """Return the context of a question about the hold."""
        order_id = self.hold.id if self.hold is not None else None
        return self.context.with_changes(raffle_id=self.raffle.id, draft_order_id=order_id)

    def ask(self, reply: Reply) -> Step:
        """Ask about the hold; a plain yes stands for the first button."""
        asking = self.about_hold().with_changes(yes_button_id=reply.buttons[0].id)
        return Step(State.CONFIRM_RESERVATION, asking, replies=(reply,))

    def ask_to_cancel(self) -> Step:
        """Ask whether to cancel the hold; without one, ask for other numbers."""
        if self.hold is None:
            return reserve.ask_numbers(self.raffle, self.context.with_changes(picked_numbers=()))
        return self.ask(number_changes.build_give_back_all_message(self.hold))

    def refuse_missing(self, missing: set[int]) -> Step:
        """Say that the buyer does not have these numbers."""
        picked = self.numbers if self.hold is None else ()
        note = number_changes.build_not_yours_note(self.raffle, missing, picked=picked)
        return self.show(note)

    def take(self, numbers: set[int], *, otherwise: set[int] | None = None) -> Step:
        """Hold these numbers in place of the others, or say why that is impossible."""
        choices = [numbers, otherwise] if otherwise else [numbers]
        unknown = {n for n in set().union(*choices) if not self.raffle.has_ticket_number(n)}
        if unknown:
            note = choosing.build_unknown_numbers_note(self.raffle, unknown=sorted(unknown))
            return self.show(note)
        notes = filter(None, (self._explain_quantity(len(choice)) for choice in choices))
        if note := next(notes, ""):
            return self.show(note)
        wanted = tuple(sorted(numbers))
        chosen = self.context.with_changes(
            raffle_id=self.raffle.id, mode=Mode.PICK, qty=None, picked_numbers=wanted
        )
        effect = HoldNumbers(
            self.raffle.id,
            wanted,
            replacing=self._find_hold_id(),
            otherwise=tuple(sorted(otherwise or ())),
        )
        return Step(State.ASK_PICK_NUMBERS, chosen, effect=effect)

    def take_random(self, quantity: int, *, keeping: set[int]) -> Step:
        """Hold as many numbers, some of the present ones and random others."""
        if self.hold is None:
            return self.show("")
        if note := self._explain_quantity(quantity):
            return self.show(note)
        chosen = self.about_hold().with_changes(mode=self.hold.mode, qty=None, picked_numbers=())
        effect = HoldRandom(
            self.raffle.id, quantity, replacing=self.hold.id, keeping=tuple(sorted(keeping))
        )
        return Step(State.CONFIRM_RESERVATION, chosen, effect=effect)

    def _find_hold_id(self) -> int | None:
        draft = self.hold or self.facts.find_draft(self.raffle.id)
        return draft.id if draft is not None else None

    def _explain_quantity(self, quantity: int) -> str:
        """Return why as many numbers cannot be held; empty: they can."""
        own = self.raffle.remaining_for_buyer
        most = self.raffle.max_per_order if own is None else min(self.raffle.max_per_order, own)
        if quantity > most:
            return number_changes.build_too_many_note(quantity, most=most)
        if quantity < self.raffle.min_per_order:
            return number_changes.build_too_few_note(self.raffle)
        return ""
