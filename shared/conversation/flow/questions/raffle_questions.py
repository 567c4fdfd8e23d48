"""Answers about raffles, the seller and the bot, and to small talk."""

from collections.abc import Callable, Sequence
from typing import Final

from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow.questions.question_values import (
    Answer,
    Question,
    find_raffles,
    find_seller,
    get_only,
)
from shared.conversation.texts.answers import general_answers, raffle_answers
from shared.core.enums import OrderStatus, State


def answer_about_raffles(
    build: Callable[[Question, tuple[RaffleFacts, ...]], str], *, on_sale: bool = False
) -> Callable[[Question], Answer]:
    """Return a builder of answers about the raffles that are meant, or that there is none."""

    def build_answer(question: Question) -> Answer:
        several = find_raffles(question, on_sale=on_sale)
        if not several:
            return Answer(raffle_answers.build_nothing_on_sale_answer(), is_covered=True)
        return Answer(build(question, several), get_only(several))

    return build_answer


def answer_about_seller(
    build: Callable[[Question, tuple[RaffleFacts, ...]], str],
) -> Callable[[Question], Answer]:
    """Return a builder of answers that need no raffle, but name its seller if there is one."""

    def build_answer(question: Question) -> Answer:
        several = find_raffles(question)
        return Answer(build(question, several), get_only(several))

    return build_answer


# ── raffles ───────────────────────────────────────────────────────────────────────────────────────

answer_price: Final = answer_about_raffles(
    lambda question, several: raffle_answers.build_price_answer(
        several, quantity=question.quantity
    ),
    on_sale=True,
)
answer_prize: Final = answer_about_raffles(
    lambda _question, several: raffle_answers.build_prize_answer(several)
)
answer_draw_date: Final = answer_about_raffles(
    lambda _question, several: raffle_answers.build_draw_date_answer(several)
)
answer_left: Final = answer_about_raffles(
    lambda _question, several: raffle_answers.build_left_answer(several), on_sale=True
)
answer_limits: Final = answer_about_raffles(
    lambda _question, several: raffle_answers.build_limits_answer(several), on_sale=True
)
answer_age: Final = answer_about_raffles(
    lambda question, several: raffle_answers.build_age_answer(
        several, is_adult=question.facts.is_adult
    )
)


def _describe_chances(question: Question, several: tuple[RaffleFacts, ...]) -> str:
    own = [_count_own(question.facts, raffle) for raffle in several]
    return raffle_answers.build_chances_answer(several, own=own, quantity=question.quantity)


def _count_own(facts: Facts, raffle: RaffleFacts) -> int:
    return sum(
        len(order.numbers)
        for order in facts.orders
        if order.raffle.id == raffle.id and order.holds_numbers and not order.has_lapsed
    )


answer_chances: Final = answer_about_raffles(_describe_chances)


def answer_raffles(question: Question) -> Answer:
    """Return what is on sale."""
    on_sale = question.facts.raffles
    if not on_sale:
        return Answer(raffle_answers.build_nothing_on_sale_answer(), is_covered=True)
    return Answer(raffle_answers.build_raffles_answer(on_sale), get_only(on_sale))


# ── the seller and the bot ────────────────────────────────────────────────────────────────────────


def _describe_real(question: Question, several: tuple[RaffleFacts, ...]) -> str:
    return general_answers.build_real_answer(
        several,
        seller=question.facts.seller_contact,
        example=_choose_example(question.facts, several),
    )


def _choose_example(facts: Facts, several: Sequence[RaffleFacts]) -> str:
    """Return a ticket number to check: one of the buyer's, or any."""
    for order in reversed(facts.orders):
        if order.numbers and order.raffle in several and order.holds_numbers:
            return order.raffle.format_ticket_number(order.numbers[0])
    return several[0].format_ticket_number(min(7, several[0].last_number)) if several else "7"


answer_real: Final = answer_about_seller(_describe_real)
answer_seller: Final = answer_about_seller(
    lambda question, several: general_answers.build_seller_answer(
        several, seller=question.facts.seller_contact
    )
)
answer_delivery: Final = answer_about_seller(
    lambda question, several: general_answers.build_delivery_answer(
        several, seller=question.facts.seller_contact
    )
)
answer_privacy: Final = answer_about_seller(
    lambda question, several: general_answers.build_privacy_answer(
        seller=find_seller(question, several)
    )
)
answer_bot: Final = answer_about_seller(
    lambda question, several: general_answers.build_bot_answer(
        seller=find_seller(question, several)
    )
)
answer_language: Final = answer_about_seller(
    lambda _question, _several: general_answers.build_language_answer()
)


def answer_how_it_works(question: Question) -> Answer:
    """Return how buying works."""
    raffle = get_only(find_raffles(question, on_sale=True))
    return Answer(general_answers.build_how_it_works_answer(raffle), raffle)


# ── small talk ────────────────────────────────────────────────────────────────────────────────────


def answer_foreign_greeting(question: Question) -> Answer:
    """Return one line in two other languages, and in the menu what is on sale."""
    line = general_answers.build_foreign_greeting()
    raffle = get_only(find_raffles(question, on_sale=True))
    if raffle is None or not raffle.is_on_sale or question.state is not State.MENU:
        return Answer(line)
    return Answer(f"{line}\n{general_answers.build_offer_line(raffle)}", raffle)


def answer_thanks(question: Question) -> Answer:
    """Return a kind line, and what is open."""
    order = question.order
    is_wished = order is not None and order.status is OrderStatus.PAID and not order.raffle.is_over
    wished = order.raffle if order is not None and is_wished else None
    is_quiet = question.state in {State.MENU, State.CHOOSE_MODE}
    return Answer(general_answers.build_welcome_answer(wished), is_quiet=is_quiet)
