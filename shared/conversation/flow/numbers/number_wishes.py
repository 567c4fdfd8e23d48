"""Steps for wishes about numbers: take some, add, give back, change, or those like a pattern."""

from collections.abc import Callable
from typing import Final, assert_never

from shared.conversation.context import Context
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.flow import inquiries, reserve
from shared.conversation.flow.numbers import number_changes
from shared.conversation.flow.numbers.bare_numbers import BareNumberMeaning, get_bare_number_meaning
from shared.conversation.flow.screens import ask_to_rephrase, repeat_prompt, show_menu, show_order
from shared.conversation.flow.turn import Turn
from shared.conversation.texts import guidance, number_questions, raffles
from shared.conversation.understanding.intents import Intent
from shared.conversation.understanding.numbers.number_patterns import NumberPattern
from shared.conversation.understanding.text_readings import NumberGroup, NumberWish
from shared.conversation.values import (
    CheckNumbers,
    LookUpFreeNumbers,
    LookUpNumber,
    PlaceOrder,
    Reply,
    Step,
)
from shared.core.enums import Mode, State

MAX_CHECKED_NUMBERS: Final = 20
"""Numbers of which one message says whether they are free."""


def handle_number_wish(turn: Turn) -> Step:
    """Return the step for a text about numbers; what can be read in two ways is asked about."""
    raffle = turn.raffle
    if raffle is None:
        if not turn.facts.raffles:
            return _answer_without_sale(turn)
        return show_menu(turn.facts, note=raffles.build_which_raffle_note())
    wish = turn.reading.wish or NumberWish()
    groups = [group for group in (wish.take, wish.drop, wish.otherwise) if group is not None]
    if any(group.is_unclear for group in groups):
        note = guidance.build_unclear_numbers_note()
        return ask_to_rephrase(turn.state, turn.context, turn.facts, note=note)
    return _Choice(turn, raffle).handle(wish)


def _answer_without_sale(turn: Turn) -> Step:
    """Answer a buyer who names numbers while nothing is on sale: what became of a number."""
    group = turn.reading.wish.take if turn.reading.wish is not None else None
    wants = turn.reading.has(Intent.BUY, Intent.RANDOM)
    if group is None or len(group.values) != 1 or group.is_counted or wants:
        return show_menu(turn.facts)
    if not turn.facts.orders:
        return show_menu(turn.facts)
    return inquiries.handle_verify(group.values[0], turn.state, turn.context, turn.facts)


class _Choice:
    """A buyer's choice of numbers in a raffle."""

    def __init__(self, turn: Turn, raffle: RaffleFacts) -> None:
        self._turn = turn
        self._raffle = raffle
        self._bare = get_bare_number_meaning(turn.state)
        if raffle.id != turn.context.raffle_id:
            self._bare = BareNumberMeaning.ASK

    def handle(self, wish: NumberWish) -> Step:
        """Return the step for a wish, by what the text is about."""
        handlers: dict[Intent, Callable[[NumberWish], Step]] = {
            Intent.SPEND: self.spend,
            Intent.LIKE: self.show_like,
            Intent.IS_FREE: self.check,
            Intent.EITHER: self.take_either,
            Intent.DROP: self.drop,
            Intent.SWAP: self.swap,
            Intent.ADD: self.add,
        }
        return handlers.get(self._turn.reading.intent, self.take)(wish)

    @property
    def _replaces(self) -> bool:
        wish = self._turn.reading.wish
        return wish is not None and wish.replaces

    @property
    def _asks_for_so_many_others(self) -> bool:
        """Whether a quantity of other numbers is asked for: "give me 3 others"."""
        reading = self._turn.reading
        others = reading.has(Intent.OTHER_NUMBERS)
        return others and not reading.has(Intent.KEEP) and len(reading.entities) == 1

    @property
    def _hold(self) -> OrderFacts | None:
        return self._turn.facts.find_draft(self._raffle.id)

    @property
    def _context(self) -> Context:
        return self._turn.context

    # ── take ─────────────────────────────────────────────────────────────────────────────────────

    def take(self, wish: NumberWish) -> Step:
        """Hold what is asked for."""
        group = wish.take
        assert group is not None  # noqa: S101 - a wish to take names numbers
        return (
            self._take_known(group, wish)
            or (self._take_counted(group, group.values[0], wish) if group.is_single else None)
            or self._take_listed(group, wish)
            or self._interpret_lone_number(group, group.values[0], wish)
        )

    def _take_known(self, group: NumberGroup, wish: NumberWish) -> Step | None:
        """Return the step for the held numbers, named once more, or for numbers beside money."""
        if wish.money is not None:
            return self._ask_whether_numbers(group.values)
        hold = self._hold
        if hold is not None and hold.numbers == group.values and group.is_certain:
            return self._accept_hold(hold)
        return None

    def _take_counted(self, group: NumberGroup, number: int, wish: NumberWish) -> Step | None:
        """Return the step for one number that is a quantity: "5 random", "5 tickets"."""
        if wish.is_random and not group.is_marked:
            return (
                self._ask_what_number_is(number) if group.is_lucky else self._take_quantity(number)
            )
        if self._asks_for_so_many_others:
            return self._take_quantity(number)
        if not group.is_counted or group.is_marked:
            return None
        if self._bare is BareNumberMeaning.TICKET:
            return self._interpret_count(number)
        return self._take_quantity(number)

    def _take_listed(self, group: NumberGroup, wish: NumberWish) -> Step | None:
        """Return the step for what is surely or perhaps a list of ticket numbers."""
        if group.is_doubtful or (wish.is_random and group.is_certain):
            return self._ask_whether_numbers(group.values)
        if not group.is_certain or (group.is_single and group.may_be_named):
            return None
        if self._bare is BareNumberMeaning.QUANTITY and group.is_plain:
            return self._ask_instead_of_quantity(group.values)
        return self._take_numbers(group.values)

    def _interpret_lone_number(self, group: NumberGroup, number: int, wish: NumberWish) -> Step:
        """Return the step for a number alone, which may be a quantity or a ticket number."""
        if self._bare is BareNumberMeaning.QUANTITY and group.may_be_named:
            return self._ask_what_number_is(number)
        is_ticket = self._bare is BareNumberMeaning.TICKET
        if is_ticket and group.may_be_named and self._hold is not None:
            return self._ask_about_hold((number,), self._hold)
        if wish.replaces and self._hold is not None:
            step = self._replace_hold(number, self._hold)
            if step is not None:
                return step
        match self._bare:
            case BareNumberMeaning.QUANTITY:
                return self._take_quantity(number)
            case BareNumberMeaning.TICKET if group.is_in_words:
                exists = self._raffle.has_ticket_number(number)
                return self._take_numbers((number,)) if exists else self._take_quantity(number)
            case BareNumberMeaning.TICKET:
                return self._take_numbers((number,))
            case BareNumberMeaning.ASK:
                return self._ask_where_unclear(number, in_words=group.is_in_words)
            case _:
                assert_never(self._bare)

    def _replace_hold(self, number: int, hold: OrderFacts) -> Step | None:
        """Return the step for a number in place of a hold: "keep only 7", "make it 4"."""
        if number in hold.numbers:
            return reserve.hold_numbers(self._raffle, (number,), self._context, self._turn.facts)
        if hold.mode is Mode.RANDOM and self._may_be_quantity(number):
            return self._take_quantity(number)
        return None

    def _interpret_count(self, number: int) -> Step:
        """Return the step for "5 tickets" where ticket numbers were asked for."""
        if self._may_be_quantity(number):
            return self._ask_what_number_is(number)
        return self._take_quantity(number)

    def _ask_where_unclear(self, number: int, *, in_words: bool) -> Step:
        """Take a number as a quantity or a ticket number; ask if both are possible."""
        if in_words and self._may_be_quantity(number):
            return self._ask_what_number_is(number)
        if not self._may_be_quantity(number):
            if in_words and not self._raffle.has_ticket_number(number):
                return self._take_quantity(number)
            if in_words:
                return self._ask_whether_numbers((number,))
            return self._take_numbers((number,))
        if self._raffle.has_ticket_number(number):
            return self._ask_what_number_is(number)
        return self._take_quantity(number, is_certain=False)

    def _ask_instead_of_quantity(self, numbers: tuple[int, ...]) -> Step:
        """Ask about numbers, such as "5 10" or "05", where a quantity was asked for."""
        if len(numbers) == 1:
            return self._ask_what_number_is(numbers[0])
        return self._ask_whether_numbers(numbers)

    def _ask_what_number_is(self, number: int) -> Step:
        """Ask whether a number is a quantity or a ticket number."""
        if not self._may_be_quantity(number):
            return self._ask_whether_numbers((number,))
        if not self._raffle.has_ticket_number(number):
            return reserve.ask_quantity(self._raffle, self._context)
        asking = self._turn.understood.with_changes(
            raffle_id=self._raffle.id, mode=None, qty=number
        )
        reply = number_questions.build_quantity_or_number_message(
            self._raffle, number, hold=self._hold
        )
        return Step(State.CHOOSE_MODE, asking, replies=(reply,))

    def _take_quantity(self, quantity: int, *, is_certain: bool = True) -> Step:
        """Hold random numbers; ask first if a hold would be given away that was not spoken of."""
        hold = self._hold
        if hold is None or is_certain or not self._may_be_quantity(quantity):
            return reserve.hold_random(self._raffle, quantity, self._context, self._turn.facts)
        return self._ask(number_questions.build_replace_hold_message(hold, quantity))

    def _take_numbers(self, numbers: tuple[int, ...]) -> Step:
        """Hold numbers; ask first whether one alone comes instead of a hold or beside it."""
        is_lone = len(numbers) == 1 and self._bare is BareNumberMeaning.ASK
        if self._hold is not None and is_lone and not self._replaces:
            return self._ask_about_hold(numbers, self._hold)
        return reserve.hold_numbers(self._raffle, numbers, self._context, self._turn.facts)

    def _ask_whether_numbers(self, numbers: tuple[int, ...]) -> Step:
        """Ask whether numbers are meant as ticket numbers."""
        if not self._may_be_quantity(len(numbers)):
            return self._take_numbers(numbers)
        if self._hold is not None:
            return self._ask_about_hold(numbers, self._hold)
        return self._ask(number_questions.build_these_numbers_message(self._raffle, numbers))

    def _ask_about_hold(self, numbers: tuple[int, ...], hold: OrderFacts) -> Step:
        if not self._may_be_quantity(len(numbers)):
            return self._take_numbers(numbers)
        return self._ask(number_questions.build_add_or_replace_message(hold, numbers))

    def _ask(self, reply: Reply) -> Step:
        """Ask; a plain yes stands for the first button."""
        return reserve.ask_with_question(reply, self._raffle, self._turn.state, self._context)

    def _may_be_quantity(self, number: int) -> bool:
        return self._raffle.min_per_order <= number <= self._raffle.max_per_order

    # ── change ───────────────────────────────────────────────────────────────────────────────────

    @property
    def _changeable(self) -> OrderFacts | None:
        """The order whose numbers a change is about: the hold, or the order under way."""
        if self._hold is not None:
            return self._hold
        order = self._turn.order
        is_placed = self._turn.state in {State.WAIT_PROOF, State.DONE}
        return order if is_placed and order is not None and order.raffle == self._raffle else None

    @property
    def _own_numbers(self) -> set[int]:
        """The numbers to change: those of the order, or those that were asked for."""
        order = self._changeable
        return set(order.numbers if order is not None else self._context.picked_numbers)

    @property
    def _has_picked(self) -> bool:
        """Whether there are numbers to change: held ones, or those that were asked for."""
        return self._changeable is not None or bool(self._context.picked_numbers)

    def add(self, wish: NumberWish) -> Step:
        """Add numbers to those of the buyer; "2 more" of a placed order are a new order."""
        group, hold = wish.take, self._hold
        if group is None:
            return self._keep()
        number = group.values[0] if group.is_single and not group.is_marked else None
        if hold is None:
            if number is not None and wish.more:
                return self._take_quantity(number)
            return self.take(wish)
        is_quantity = group.is_counted or group.is_in_words or wish.is_random or wish.more
        if number is not None and is_quantity:
            if hold.mode is Mode.PICK and not wish.is_random:
                return reserve.ask_more_numbers(hold, self._context)
            return number_changes.add_random(number, hold, self._context, self._turn.facts)
        if number is not None and hold.mode is Mode.RANDOM and self._may_be_quantity(number):
            return self._ask_about_hold(group.values, hold)
        if group.is_doubtful:
            return self._ask_about_hold(group.values, hold)
        return number_changes.add_numbers(group.values, hold, self._context, self._turn.facts)

    def drop(self, wish: NumberWish) -> Step:
        """Give numbers back."""
        if wish.drop is None or not self._has_picked:
            return self._keep()
        if self._counts_own_numbers(wish.drop):
            return number_changes.ask_which_to_drop(
                self._changeable, self._context, self._turn.facts
            )
        return number_changes.drop_numbers(
            wish.drop.values, self._changeable, self._context, self._turn.facts
        )

    def _counts_own_numbers(self, group: NumberGroup) -> bool:
        """Return whether a number says how many to give back: "remove one", "2 less"."""
        if not group.is_single or group.is_marked:
            return False
        own = self._own_numbers
        [number] = group.values
        is_quantity = group.is_counted or group.is_in_words or number not in own
        return is_quantity and 0 < number <= len(own)

    def swap(self, wish: NumberWish) -> Step:
        """Take numbers in place of others."""
        order, take, drop = self._changeable, wish.take, wish.drop
        if drop is None:
            return self.take(wish)
        own = self._own_numbers
        if not own & set(drop.values):
            return self.take(wish) if take is not None else self._keep()
        if take is not None and take.is_doubtful and self._hold is not None:
            return self._ask_about_hold(take.values, self._hold)
        new = take.values if take is not None else ()
        if new and set(new) <= own:  # "not 7, 13": both are the buyer's
            unwanted = tuple(sorted({*drop.values, *new}))
            return number_changes.drop_numbers(unwanted, order, self._context, self._turn.facts)
        if not new and order is not None and order.mode is Mode.PICK:
            return reserve.ask_more_numbers(order, self._context)
        return number_changes.swap_numbers(drop.values, new, order, self._context, self._turn.facts)

    def take_either(self, wish: NumberWish) -> Step:
        """Hold numbers, or others if they are taken."""
        if wish.take is None or wish.otherwise is None:
            return self.take(wish)
        hold, drop = self._hold, wish.drop
        take, otherwise = wish.take.values, wish.otherwise.values
        if hold is not None and drop is not None:
            return number_changes.swap_numbers(
                drop.values, take, hold, self._context, self._turn.facts, otherwise=otherwise
            )
        if hold is not None and wish.adds:
            return number_changes.add_numbers(
                take, hold, self._context, self._turn.facts, otherwise=otherwise
            )
        return reserve.hold_numbers(
            self._raffle, take, self._context, self._turn.facts, otherwise=otherwise
        )

    def _keep(self) -> Step:
        """Change nothing, and show what is open."""
        return repeat_prompt(self._turn.state, self._turn.understood, self._turn.facts)

    def _accept_hold(self, hold: OrderFacts) -> Step:
        """Take the held numbers, named once more, as a yes if one was said; else show them."""
        turn = self._turn
        says_yes = turn.reading.has(Intent.YES) and not turn.reading.is_question
        if says_yes and turn.state is State.CONFIRM_RESERVATION:
            return Step(turn.state, turn.understood, effect=PlaceOrder(hold.id))
        return show_order(hold, turn.understood, turn.facts)

    # ── look up ──────────────────────────────────────────────────────────────────────────────────

    def spend(self, wish: NumberWish) -> Step:
        """Hold as many random numbers as an amount of money pays for, or ask whether to."""
        raffle, money = self._raffle, wish.money
        if money is None or raffle.is_free:
            return self._keep()
        quantity = int(money // raffle.price)
        if not self._may_be_quantity(quantity) or quantity * raffle.price != money:
            quantity = max(raffle.min_per_order, min(quantity, raffle.max_per_order))
            return self._ask(number_questions.build_money_message(raffle, money, quantity))
        if wish.is_worth:
            return self._take_quantity(quantity)
        return self._ask(number_questions.build_money_message(raffle, money, quantity))

    def show_like(self, wish: NumberWish) -> Step:
        """Look up free numbers that are like a pattern."""
        take = wish.take
        quantity = take.values[0] if take is not None and take.is_single else None
        pattern = NumberPattern.from_parts(dict(self._turn.reading.pattern))
        lookup = LookUpFreeNumbers(self._raffle.id, pattern, quantity)
        return Step(self._turn.state, self._turn.understood, lookup=lookup)

    def check(self, wish: NumberWish) -> Step:
        """Look up whether numbers are free."""
        group = wish.take or wish.drop
        assert group is not None  # noqa: S101 - a question about numbers names them
        if len(group.values) == 1:
            lookup = LookUpNumber(self._raffle.id, group.values[0])
            return Step(self._turn.state, self._turn.understood, lookup=lookup)
        numbers = group.values[:MAX_CHECKED_NUMBERS]
        return Step(
            self._turn.state, self._turn.understood, lookup=CheckNumbers(self._raffle.id, numbers)
        )
