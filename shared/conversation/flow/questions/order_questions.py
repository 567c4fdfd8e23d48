"""Answers about the buyer's own orders: one that is meant, several, or what is true of all."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.conversation.flow.questions.question_values import (
    Answer,
    Question,
    find_raffles,
    find_seller,
    get_only,
)
from shared.conversation.flow.questions.raffle_questions import answer_price
from shared.conversation.texts.answers import order_answers, order_phrases, payment_answers
from shared.core.enums import OrderStatus


def _has_clock(order: OrderFacts) -> bool:
    return order.has_clock


def _is_open(order: OrderFacts) -> bool:
    """Whether an order holds numbers for a while, also while its payment is checked."""
    return order.is_live and not order.has_lapsed


def _is_open_or_own(order: OrderFacts) -> bool:
    is_paid = order.status is OrderStatus.PAID and not order.raffle.is_over
    return _is_open(order) or is_paid


def _is_own(order: OrderFacts) -> bool:
    return order.holds_numbers or order.under_review


def _is_none(_order: OrderFacts) -> bool:
    return False


def _is_any(_order: OrderFacts) -> bool:
    return True


def _has_money(order: OrderFacts) -> bool:
    """Whether money may have come for an order."""
    may_be_paid = order.status is OrderStatus.PAID or order.has_receipt or order.under_review
    return order.needs_decision or (may_be_paid and not order.is_free)


def _waits_for_check(order: OrderFacts) -> bool:
    """Whether an order was placed and is neither paid nor over."""
    is_placed = order.status is OrderStatus.PENDING_PAYMENT and not order.has_lapsed
    return is_placed or order.under_review or order.needs_decision


def _ran_out(order: OrderFacts) -> bool:
    """Whether the time of an order is over, or has stopped because it is checked."""
    return order.under_review or order.status is OrderStatus.EXPIRED or order.has_lapsed


def _is_being_checked(order: OrderFacts) -> bool:
    return order.under_review and not order.asked_again


def _was_placed(order: OrderFacts) -> bool:
    return order.status is not OrderStatus.DRAFT


@dataclass(frozen=True, slots=True)
class OrderTopic:
    """A question about the buyer's own orders.

    Attributes:
        build: returns the answer about one order.
        build_rule: returns what is true of several orders, or of all if the buyer has none.
        prefers: the orders that are meant first.
        accepts: those of which the latest is meant, if there are no others.
        accepts_current: whether the order that the conversation is about may be meant then.
        none_note: a text above the rule for a buyer without such an order.
        covers: whether the answer says how an order stands, and until when.
        is_quiet: whether the buyer wants nothing now.

    """

    build: Callable[[OrderFacts, Facts], str]
    build_rule: Callable[[Question, tuple[OrderFacts, ...]], str]
    prefers: Callable[[OrderFacts], bool]
    accepts: Callable[[OrderFacts], bool]
    accepts_current: Callable[[OrderFacts], bool] = _is_none
    none_note: str = ""
    covers: Callable[[OrderFacts], bool] = _is_being_checked
    is_quiet: bool = False


def _answer_about_orders(topic: OrderTopic) -> Callable[[Question], Answer]:
    def build_answer(question: Question) -> Answer:
        meant = _find_orders(question, topic)
        if len(meant) == 1:
            [order] = meant
            text = topic.build(order, question.facts)
            return Answer(
                text,
                order.raffle,
                (order,),
                is_covered=topic.covers(order),
                is_quiet=topic.is_quiet,
            )
        rule = topic.build_rule(question, meant)
        if not meant:
            text = "\n".join(filter(None, [topic.none_note, rule]))
            raffle = get_only(find_raffles(question, on_sale=True))
            return Answer(text, raffle, is_quiet=topic.is_quiet)
        text = order_phrases.build_order_lines(meant, rule=rule, now=question.facts.now)
        return Answer(text, None, meant, is_quiet=topic.is_quiet)

    return build_answer


def _find_orders(question: Question, topic: OrderTopic) -> tuple[OrderFacts, ...]:
    """Return the order that is meant, or several that may be; the conversation's comes first."""
    own = [
        order
        for order in question.facts.orders
        if question.named is None or order.raffle.id == question.named.id
    ]
    wanted = tuple(order for order in own if topic.prefers(order))
    current = question.order if question.order in own else None
    if current is not None and (current in wanted or not wanted):
        may_be_meant = topic.prefers(current) or topic.accepts(current)
        if may_be_meant or topic.accepts_current(current):
            return (current,)
    return wanted or tuple(order for order in own if topic.accepts(order))[-1:]


def _find_rule_raffle(question: Question) -> RaffleFacts | None:
    return get_only(find_raffles(question, on_sale=True))


def _find_rule_seller(question: Question) -> str:
    return find_seller(question, find_raffles(question))


_answer_own_total: Final = _answer_about_orders(
    OrderTopic(
        lambda order, _facts: payment_answers.build_total_answer(order),
        lambda _question, meant: payment_answers.build_total_rule(meant),
        prefers=_has_clock,
        accepts=_is_own,
    )
)
answer_how_to_pay: Final = _answer_about_orders(
    OrderTopic(
        lambda order, facts: payment_answers.build_how_to_pay_answer(order, now=facts.now),
        lambda question, meant: (
            payment_answers.build_several_to_pay_rule()
            if meant
            else payment_answers.build_how_to_pay_rule(_find_rule_raffle(question))
        ),
        prefers=_has_clock,
        accepts=lambda order: order.under_review,
        covers=lambda order: _was_placed(order) and not order.asked_again,
    )
)
answer_receipt: Final = _answer_about_orders(
    OrderTopic(
        lambda order, facts: payment_answers.build_receipt_answer(order, now=facts.now),
        lambda _question, _meant: payment_answers.build_receipt_rule(),
        prefers=_waits_for_check,
        accepts=_is_any,
        none_note=payment_answers.build_no_receipt_note(),
        covers=_was_placed,
    )
)
answer_refund: Final = _answer_about_orders(
    OrderTopic(
        lambda order, _facts: payment_answers.build_refund_answer(order),
        lambda question, _meant: payment_answers.build_refund_rule(
            _find_rule_raffle(question), seller=_find_rule_seller(question)
        ),
        prefers=lambda order: _has_money(order) or _is_open(order),
        accepts=_is_none,
    )
)
answer_more_time: Final = _answer_about_orders(
    OrderTopic(
        lambda order, facts: order_answers.build_more_time_answer(order, now=facts.now),
        lambda question, meant: (
            order_answers.build_several_clocks_rule(seller=_find_rule_seller(question))
            if meant
            else order_answers.build_more_time_rule(
                _find_rule_raffle(question), seller=_find_rule_seller(question)
            )
        ),
        prefers=_has_clock,
        accepts=_ran_out,
        accepts_current=_is_any,
        covers=_is_any,
    )
)
answer_late: Final = _answer_about_orders(
    OrderTopic(
        lambda order, facts: order_answers.build_late_answer(order, now=facts.now),
        lambda question, _meant: order_answers.build_late_rule(_find_rule_raffle(question)),
        prefers=_has_clock,
        accepts=_ran_out,
        accepts_current=_is_any,
        covers=_is_any,
    )
)
answer_change: Final = _answer_about_orders(
    OrderTopic(
        lambda order, _facts: order_answers.build_change_answer(order),
        lambda question, _meant: order_answers.build_change_rule(
            seller=_find_rule_seller(question)
        ),
        prefers=_is_open_or_own,
        accepts=_is_own,
    )
)
answer_can_cancel: Final = _answer_about_orders(
    OrderTopic(
        lambda order, _facts: order_answers.build_can_cancel_answer(order),
        lambda question, _meant: order_answers.build_can_cancel_rule(
            seller=_find_rule_seller(question)
        ),
        prefers=_is_open_or_own,
        accepts=_is_own,
    )
)
answer_later: Final = _answer_about_orders(
    OrderTopic(
        lambda order, facts: order_answers.build_later_answer(order, now=facts.now),
        lambda _question, meant: "Take your time." if meant else "",
        prefers=_is_open,
        accepts=_is_none,
        none_note=order_answers.build_nothing_open_note(),
        covers=_is_any,
        is_quiet=True,
    )
)


def answer_total(question: Question) -> Answer:
    """Return the total of the order that is meant; of a quantity or without an order, the price."""
    if question.quantity is not None:
        return answer_price(question)
    answer = _answer_own_total(question)
    if answer.orders:
        return answer
    price = answer_price(question)
    return replace(price, text=f"{payment_answers.build_nothing_owed_note()}\n{price.text}")
