"""Answers to buyers' questions in every state: the fact first, then the next step.

A question changes neither the state nor the purchase under way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow import age
from shared.conversation.flow.questions import order_questions, raffle_questions
from shared.conversation.flow.questions.next_steps import choose_next_step
from shared.conversation.flow.questions.question_values import Answer, Question
from shared.conversation.texts import parts
from shared.conversation.texts.answers.next_steps import AnswerEnding
from shared.conversation.texts.parts import build_long_reply
from shared.conversation.understanding.intents import Intent
from shared.conversation.values import Reply, Step
from shared.core.enums import State


def answer_question(
    intent: Intent,
    state: State,
    context: Context,
    facts: Facts,
    *,
    raffle: RaffleFacts | None = None,
    quantity: int | None = None,
) -> Step:
    """Return the step that answers a question.

    Args:
        intent: the question; one of `ANSWERS`.
        state: the buyer's state, which stays.
        context: the context; of its open questions only those for the age and for the order of a
            receipt stay open, and the answer repeats them.
        facts: the facts about the buyer.
        raffle: the raffle that the question names; None: none.
        quantity: the quantity of numbers that the question names; None: none.

    """
    topic = ANSWERS[intent]
    answer = topic.build(Question(state, context, facts, raffle, quantity))
    understood = _close_other_questions(context)
    end = choose_next_step(
        state,
        understood,
        facts,
        raffle=answer.raffle,
        orders=answer.orders,
        is_covered=answer.is_covered,
        is_quiet=answer.is_quiet,
    )
    reply = _build_reply(topic.key, answer, end)
    if topic.leads_to_person and not facts.is_paused:
        reply = parts.offer_person(reply)
    return Step(state, understood, replies=(reply,))


def _close_other_questions(context: Context) -> Context:
    """Return the context of a buyer who was understood, with the question about a receipt."""
    return age.close_other_questions(context).with_changes(
        proof_id=context.proof_id, proof_order_ids=context.proof_order_ids
    )


def _build_reply(key: str, answer: Answer, end: AnswerEnding) -> Reply:
    body = "\n\n".join(filter(None, [answer.text, end.sentence]))
    about = answer.orders[0].code if len(answer.orders) == 1 else end.about
    if end.rows:
        return Reply(key, body, rows=end.rows, list_button=end.list_button, about=about)
    return replace(build_long_reply(key, body, end.buttons), about=about)


# ── the topics ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class QuestionTopic:
    """A question.

    Attributes:
        key: the key of its reply.
        build: builds the answer.
        leads_to_person: whether the seller knows more, so that a person is offered.

    """

    key: str
    build: Callable[[Question], Answer]
    leads_to_person: bool = False


ANSWERS: Final[Mapping[Intent, QuestionTopic]] = {
    Intent.PRICE: QuestionTopic("answer_price", raffle_questions.answer_price),
    Intent.TOTAL: QuestionTopic("answer_total", order_questions.answer_total),
    Intent.PRIZE: QuestionTopic("answer_prize", raffle_questions.answer_prize),
    Intent.DRAW_DATE: QuestionTopic("answer_draw_date", raffle_questions.answer_draw_date),
    Intent.LEFT: QuestionTopic("answer_left", raffle_questions.answer_left),
    Intent.LIMITS: QuestionTopic("answer_limits", raffle_questions.answer_limits),
    Intent.HOW_TO_PAY: QuestionTopic("answer_how_to_pay", order_questions.answer_how_to_pay),
    Intent.RECEIPT: QuestionTopic("answer_receipt", order_questions.answer_receipt),
    Intent.REAL: QuestionTopic("answer_real", raffle_questions.answer_real, leads_to_person=True),
    Intent.REFUND: QuestionTopic(
        "answer_refund", order_questions.answer_refund, leads_to_person=True
    ),
    Intent.CHANGE: QuestionTopic(
        "answer_change", order_questions.answer_change, leads_to_person=True
    ),
    Intent.CAN_CANCEL: QuestionTopic(
        "answer_cancel", order_questions.answer_can_cancel, leads_to_person=True
    ),
    Intent.MORE_TIME: QuestionTopic(
        "answer_more_time", order_questions.answer_more_time, leads_to_person=True
    ),
    Intent.LATE: QuestionTopic("answer_late", order_questions.answer_late),
    Intent.DELIVERY: QuestionTopic(
        "answer_delivery", raffle_questions.answer_delivery, leads_to_person=True
    ),
    Intent.PRIVACY: QuestionTopic(
        "answer_privacy", raffle_questions.answer_privacy, leads_to_person=True
    ),
    Intent.BOT: QuestionTopic("answer_bot", raffle_questions.answer_bot, leads_to_person=True),
    Intent.SELLER: QuestionTopic(
        "answer_seller", raffle_questions.answer_seller, leads_to_person=True
    ),
    Intent.AGE: QuestionTopic("answer_age", raffle_questions.answer_age),
    Intent.LANGUAGE: QuestionTopic("answer_language", raffle_questions.answer_language),
    Intent.RAFFLES: QuestionTopic("answer_raffles", raffle_questions.answer_raffles),
    Intent.CHANCES: QuestionTopic("answer_chances", raffle_questions.answer_chances),
    Intent.HOW_IT_WORKS: QuestionTopic("answer_how_it_works", raffle_questions.answer_how_it_works),
    Intent.FOREIGN_GREETING: QuestionTopic(
        "foreign_greeting", raffle_questions.answer_foreign_greeting
    ),
    Intent.THANKS: QuestionTopic("thanks", raffle_questions.answer_thanks),
    Intent.LATER: QuestionTopic("later", order_questions.answer_later),
}
"""The questions, and small talk, that are answered from the facts alone."""
