"""The end of an answer: what a buyer can do next, as one sentence and its buttons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.formatting import format_money
from shared.conversation.texts import age, choosing, order_status, orders, raffles, receipts
from shared.conversation.texts.answers.order_phrases import build_held_sentence
from shared.conversation.texts.parts import (
    MENU_BUTTON,
    MY_TICKETS_BUTTON,
    WHO_WON_BUTTON,
    build_next_button,
    format_order_deadline,
)
from shared.conversation.values import Reply
from shared.whatsapp.messages import MAX_ROWS, ListRow, ReplyButton


@dataclass(frozen=True, slots=True)
class AnswerEnding:
    """What a buyer can do next.

    Attributes:
        sentence: the last line of the answer; empty if the buttons say enough.
        buttons: reply buttons; never together with `rows`.
        rows: the rows of a list.
        list_button: the label of the button that opens the list.
        about: the code of the order that is meant; empty: none.

    """

    sentence: str = ""
    buttons: tuple[ReplyButton, ...] = ()
    rows: tuple[ListRow, ...] = ()
    list_button: str = ""
    about: str = ""


def _take_controls(reply: Reply, sentence: str) -> AnswerEnding:
    """Return the buttons or the list of a message below another sentence."""
    return AnswerEnding(sentence, reply.buttons, reply.rows, reply.list_button, reply.about)


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────


def build_no_raffles_step(*, has_results: bool, is_said: bool) -> AnswerEnding:
    """Return the step while nothing is on sale.

    Args:
        has_results: whether a raffle of the buyer was drawn, or its draw is due.
        is_said: whether the answer says already that nothing is on sale.

    """
    sentence = "" if is_said else "There is no raffle on sale right now."
    buttons = (WHO_WON_BUTTON, MY_TICKETS_BUTTON) if has_results else (MY_TICKETS_BUTTON,)
    return AnswerEnding(sentence, buttons)


def build_which_raffle_step(on_sale: Sequence[RaffleFacts], *, now: datetime) -> AnswerEnding:
    """Return the choice between several raffles."""
    return _take_controls(
        raffles.build_raffle_list_message(on_sale, now=now), "Which raffle would you like?"
    )


def build_choose_step(raffle: RaffleFacts, *, now: datetime) -> AnswerEnding:
    """Return the choice between random and own numbers of a raffle, if there are any left."""
    if not raffle.available:
        return AnswerEnding(buttons=(MENU_BUTTON, MY_TICKETS_BUTTON))
    card = raffles.build_raffle_card_message(raffle, now=now)
    return _take_controls(card, "Random numbers or your own?")


def build_quantity_step(raffle: RaffleFacts) -> AnswerEnding:
    """Return the question how many random numbers the buyer wants."""
    return _take_controls(
        choosing.build_ask_quantity_message(raffle), "How many numbers would you like?"
    )


def build_numbers_step(raffle: RaffleFacts) -> AnswerEnding:
    """Return the question which ticket numbers the buyer wants."""
    return _take_controls(
        choosing.build_ask_numbers_message(raffle), "Which numbers would you like?"
    )


def build_age_step(raffle: RaffleFacts) -> AnswerEnding:
    """Return the open question whether the buyer is 18 or older."""
    return _take_controls(age.build_age_question(raffle), "Are you 18 or older?")


# ── orders ────────────────────────────────────────────────────────────────────────────────────────


def build_hold_step(order: OrderFacts, *, is_covered: bool, now: datetime) -> AnswerEnding:
    """Return what to do with held numbers.

    Args:
        order: the hold.
        is_covered: whether the answer says already until when they are held.
        now: the current time.

    """
    what = "it" if len(order.numbers) == 1 else "them"
    sentence = (
        f"Tap *Confirm* to order {what}." if is_covered else build_held_sentence(order, now=now)
    )
    return _take_controls(orders.build_held_message(order, now=now), sentence)


def build_payment_step(order: OrderFacts, *, is_covered: bool, now: datetime) -> AnswerEnding:
    """Return what is still to be done for an order; arguments as above."""
    if is_covered:
        sentence = ""
    elif order.is_free:
        sentence = f"Order *{order.code}* is free: {order.raffle.seller_contact} will confirm it."
    else:
        owed = format_money(order.total, order.currency)
        until = format_order_deadline(order, now=now)
        sentence = f"Please pay {owed} by {until}, then send the receipt here."
    return _take_controls(orders.build_still_to_pay_message(order, now=now), sentence)


def build_review_step(order: OrderFacts, *, is_covered: bool) -> AnswerEnding:
    """Return the step while a payment is checked, or one more receipt is wanted."""
    sentence = f"Order *{order.code}* is being checked; I will write here."
    if order.asked_again:
        sentence = f"Order *{order.code}* needs one more photo or PDF of the receipt."
    return _take_controls(
        order_status.build_under_review_message(order), "" if is_covered else sentence
    )


def build_paid_step(order: OrderFacts) -> AnswerEnding:
    """Return what a buyer of paid numbers can look at."""
    return _take_controls(order_status.build_all_done_message(order), "")


def build_ended_step(order: OrderFacts) -> AnswerEnding:
    """Return what is left after an order has ended."""
    first = build_next_button(order) if order.raffle.is_on_sale else MENU_BUTTON
    if order.raffle.is_sealed or order.raffle.is_drawn:
        first = WHO_WON_BUTTON
    return AnswerEnding(buttons=(first, MY_TICKETS_BUTTON), about=order.code)


def build_which_order_step(several: Sequence[OrderFacts]) -> AnswerEnding:
    """Return the choice between several orders; of many, the latest."""
    shown = several[-MAX_ROWS:]
    return _take_controls(receipts.build_pay_which_message(shown), "Which order do you mean?")


def build_which_receipt_step(proof_id: int, several: Sequence[OrderFacts]) -> AnswerEnding:
    """Return the open question for which order a receipt is."""
    reply = receipts.build_which_order_message(proof_id, several)
    return _take_controls(reply, reply.body)
