"""Questions that are answered in every state: a fact and one next step, and nothing changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Final

import pytest

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts, RaffleFacts
from shared.conversation.flow.questions.question_topics import ANSWERS, answer_question
from shared.conversation.understanding.intents import Intent
from shared.conversation.values import Reply
from shared.core.enums import DrawMethod, Mode, OrderStatus, State
from shared.whatsapp import messages
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import (
    CANCELLED,
    DRAFT,
    EXPIRED,
    FACTS_BY_STATE,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    WINTER,
    build_facts,
    build_order,
)

KEYS: Final[Mapping[Intent, str]] = {
    Intent.PRICE: "answer_price",
    Intent.TOTAL: "answer_total",
    Intent.PRIZE: "answer_prize",
    Intent.DRAW_DATE: "answer_draw_date",
    Intent.LEFT: "answer_left",
    Intent.LIMITS: "answer_limits",
    Intent.HOW_TO_PAY: "answer_how_to_pay",
    Intent.RECEIPT: "answer_receipt",
    Intent.REAL: "answer_real",
    Intent.REFUND: "answer_refund",
    Intent.CHANGE: "answer_change",
    Intent.CAN_CANCEL: "answer_cancel",
    Intent.MORE_TIME: "answer_more_time",
    Intent.LATE: "answer_late",
    Intent.DELIVERY: "answer_delivery",
    Intent.PRIVACY: "answer_privacy",
    Intent.BOT: "answer_bot",
    Intent.SELLER: "answer_seller",
    Intent.AGE: "answer_age",
    Intent.LANGUAGE: "answer_language",
    Intent.RAFFLES: "answer_raffles",
    Intent.CHANCES: "answer_chances",
    Intent.HOW_IT_WORKS: "answer_how_it_works",
    Intent.FOREIGN_GREETING: "foreign_greeting",
    Intent.THANKS: "thanks",
    Intent.LATER: "later",
}
ELSEWHERE: Final = {
    *(Intent.MENU, Intent.CANCEL, Intent.STOP, Intent.START, Intent.PERSON, Intent.GREETING),
    *(Intent.HELP, Intent.GIVE_UP, Intent.UNSURE),
    *(Intent.YES, Intent.NO, Intent.KEEP, Intent.ADULT, Intent.MINOR, Intent.UNKNOWN),
    *(Intent.BUY, Intent.RANDOM, Intent.PICK, Intent.TAKE, Intent.ADD, Intent.DROP, Intent.SWAP),
    *(Intent.EITHER, Intent.LIKE, Intent.SPEND, Intent.OTHER_NUMBERS, Intent.CHOOSE_RAFFLE),
    *(Intent.MY_TICKETS, Intent.ORDER, Intent.ORDER_CHOICE, Intent.PAID),
    *(Intent.RULES, Intent.WHICH_FREE, Intent.IS_FREE, Intent.RESULTS, Intent.VERIFY),
}
"""Intents that ask for more than an answer from the facts."""

FREE: Final = replace(SUMMER, price=Decimal(0))
SOLD_OUT: Final = replace(SUMMER, available=0, draw_at=None, draw_when_sold_out=True)
DRAWN: Final = replace(SUMMER, draw_time_reached=True, not_selling_reason="drawn")
SEALED: Final = replace(SUMMER, draw_time_reached=True, not_selling_reason="sealed")
CALLED_OFF: Final = replace(SUMMER, not_selling_reason="cancelled")
CLOSED: Final = replace(SUMMER, not_selling_reason="closed")
LIMITED: Final = replace(
    SUMMER,
    draw_at=None,
    adults_only=True,
    promoter="Club",
    remaining_for_buyer=0,
    permit_number="7",
)
LAST: Final = replace(SUMMER, available=1, number_count=1, min_per_order=1, max_per_order=1)
SECOND: Final = build_order(
    id=12, code="R-9QWXZ", raffle=WINTER, numbers=(100,), total=Decimal("5.00")
)
LATE_PAYMENT: Final = replace(EXPIRED, needs_decision=True, has_receipt=True)
ASKED_AGAIN: Final = replace(REVIEWED, asked_again=True, has_receipt=True)
FREE_DRAFT: Final = replace(DRAFT, raffle=FREE, total=Decimal(0))
MANY: Final = replace(DRAFT, numbers=tuple(range(100, 200)), total=Decimal(500))
SITUATIONS: Final[Mapping[str, Facts]] = {
    "nothing at all": Facts(now=NOON),
    "one raffle": build_facts(),
    "two raffles": build_facts(raffles=(SUMMER, WINTER)),
    "twelve raffles": build_facts(raffles=tuple(replace(SUMMER, id=i) for i in range(1, 13))),
    "sold out": build_facts(raffles=(SOLD_OUT,)),
    "limited": build_facts(raffles=(LIMITED,)),
    "last number": build_facts(raffles=(LAST,)),
    "free": build_facts(FREE_DRAFT, raffles=(FREE,)),
    "free, not confirmed": build_facts(
        replace(FREE_DRAFT, status=OrderStatus.PENDING_PAYMENT), raffles=(FREE,)
    ),
    "free and paid": build_facts(replace(PAID, raffle=FREE, total=Decimal(0)), raffles=(FREE,)),
    "hold": build_facts(DRAFT),
    "hold of one": build_facts(replace(DRAFT, numbers=(7,), total=Decimal("5.00"))),
    "hold of many": build_facts(MANY),
    "to pay": build_facts(PENDING),
    "two to pay": build_facts(PENDING, SECOND, raffles=(SUMMER, WINTER)),
    "review": build_facts(REVIEWED),
    "asked again": build_facts(ASKED_AGAIN),
    "paid": build_facts(PAID),
    "paid and elsewhere": build_facts(PAID, SECOND, raffles=(SUMMER, WINTER)),
    "seven paid": build_facts(*[replace(PAID, id=i, code=f"R-0000{i}") for i in range(9, 16)]),
    "expired": build_facts(EXPIRED),
    "cancelled": build_facts(CANCELLED),
    "late payment": build_facts(LATE_PAYMENT),
    "late and under review": build_facts(replace(EXPIRED, under_review=True, has_receipt=True)),
    "closed": build_facts(replace(PENDING, raffle=CLOSED), raffles=()),
    "sealed": build_facts(replace(PAID, raffle=SEALED), raffles=()),
    "drawn": build_facts(replace(PAID, raffle=DRAWN), raffles=(WINTER,)),
    "drawn unpaid": build_facts(replace(PENDING, raffle=DRAWN), raffles=()),
    "called off": build_facts(replace(PAID, raffle=CALLED_OFF), raffles=()),
    "called off, to pay": build_facts(replace(PENDING, raffle=CALLED_OFF), raffles=(WINTER,)),
}
CURRENT: Final = Context(raffle_id=1, draft_order_id=10, misses=1)


def ask(
    intent: Intent,
    state: State,
    facts: Facts,
    *,
    context: Context = CURRENT,
    raffle: RaffleFacts | None = None,
    quantity: int | None = None,
) -> Reply:
    """Return the reply to a question."""
    step = answer_question(intent, state, context, facts, raffle=raffle, quantity=quantity)
    [reply] = step.replies
    return reply


def list_titles(reply: Reply) -> list[str]:
    """List what can be tapped."""
    return [button.title for button in reply.buttons] + [row.title for row in reply.rows]


def test_every_intent_is_answered_or_handled_elsewhere() -> None:
    assert {intent: topic.key for intent, topic in ANSWERS.items()} == KEYS
    assert set(Intent) - set(KEYS) == ELSEWHERE


@walk_cases(("state", "situation"), product(State, SITUATIONS))
def test_every_question_has_one_short_answer_and_changes_nothing(
    state: State, situation: str
) -> None:
    contexts = (replace(CURRENT, mode=Mode.RANDOM, qty=3), Context(misses=1))
    for intent, context in product(KEYS, contexts):
        step = answer_question(intent, state, context, SITUATIONS[situation])

        assert (step.state, step.context) == (state, replace(context, misses=0))
        assert (step.effect, step.lookup) == (None, None)
        [reply] = step.replies
        message = reply.to_whatsapp_message()
        assert reply.key == KEYS[intent]
        assert meta_limits.find_message_faults(message) == [], intent
        assert reply.body in messages.render_preview(message), intent
        assert len(reply.body) <= 700, (intent, reply.body)
        assert reply.body.count("?") <= 1, (intent, reply.body)
        assert bool(reply.buttons) != bool(reply.rows), intent
        flaws = ("None", "{", "}", "..", " .", "  ", ": :", "1 numbers", "number are")
        assert not [flaw for flaw in flaws if flaw in reply.body], (intent, reply.body)


@walk_cases(("intent", "situation"), product(KEYS, SITUATIONS))
def test_every_question_may_name_a_raffle_and_a_quantity(intent: Intent, situation: str) -> None:
    for raffle, quantity in product((WINTER, DRAWN), (1, 1_000_000)):
        step = answer_question(
            intent, State.MENU, Context(), SITUATIONS[situation], raffle=raffle, quantity=quantity
        )

        [reply] = step.replies
        assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == []
        assert "None" not in reply.body


@walk_cases("intent", KEYS)
def test_long_names_lose_nothing(intent: Intent) -> None:
    long = replace(
        SUMMER,
        title="🎟" * 30,
        prize="🎁" * 60,
        seller_contact="é" * 120,
        payment_instructions="é" * 700,
        promoter="é" * 120,
        permit_number="é" * 60,
        price=Decimal("9999999999.99"),
    )
    raffles = tuple(replace(long, id=i) for i in range(1, 13))
    for raffle, status in product((long, replace(long, not_selling_reason="closed")), OrderStatus):
        order = build_order(status=status, raffle=raffle)
        for known in (build_facts(order, raffles=raffles), build_facts(order, raffles=(long,))):
            for state in State:
                reply = ask(intent, state, known)

                message = reply.to_whatsapp_message()
                assert meta_limits.find_message_faults(message) == []
                assert reply.body in messages.render_preview(message)


class TestNextStep:
    @pytest.mark.parametrize(
        ("state", "sentence", "titles"),
        [
            (State.MENU, "Which raffle would you like?", ["Summer Raffle", "Winter Raffle"]),
            (
                State.CHOOSE_MODE,
                "Random numbers or your own?",
                ["Random numbers", "Pick my numbers", "My tickets"],
            ),
            (State.ASK_QTY, "How many numbers would you like?", ["1", "3", "5"]),
            (State.ASK_PICK_NUMBERS, "Which numbers would you like?", ["Random instead", "Menu"]),
            (
                State.CONFIRM_RESERVATION,
                "Your numbers *007 · 213 · 845* are held until 12:30",
                ["Confirm", "Other numbers", "Cancel"],
            ),
            (
                State.WAIT_PROOF,
                "Please pay $15.00 by 12:30",
                ["How to pay", "Cancel order", "Menu"],
            ),
            (
                State.DONE,
                "Order *R-7K3F9* is being checked; I will write here.",
                ["Buy more", "My tickets"],
            ),
        ],
    )
    def test_fits_every_state(self, state: State, sentence: str, titles: list[str]) -> None:
        context, known = FACTS_BY_STATE[state]

        reply = ask(Intent.LANGUAGE, state, known, context=context)

        fact, _, end = reply.body.partition("\n\n")
        assert fact == "Sorry, I only understand English. Numbers and taps work in every language."
        assert end.startswith(sentence)
        assert list_titles(reply) == titles

    def test_keeps_the_question_for_the_age_open(self) -> None:
        asked = build_button_id(ButtonAction.ADULT, 1)
        context = Context(raffle_id=1, mode=Mode.RANDOM, qty=3, yes_button_id=asked)

        step = answer_question(Intent.AGE, State.ASK_QTY, context, build_facts(raffles=(LIMITED,)))

        assert step.context == context
        assert step.replies[0].body == (
            "*Summer Raffle* is only for people who are 18 or older.\n\nAre you 18 or older?"
        )
        assert step.replies[0].buttons[0].id == asked

    def test_keeps_the_question_about_a_receipt_open(self) -> None:
        context = replace(CURRENT, misses=0, proof_id=5, proof_order_ids=(10, 12))

        step = answer_question(
            Intent.PRICE, State.WAIT_PROOF, context, SITUATIONS["two to pay"], raffle=WINTER
        )

        assert step.context == context
        assert "I kept your receipt. Which order is it for?" in step.replies[0].body
        assert step.replies[0].buttons[1].id == build_button_id(ButtonAction.PROOF, 5, 12)

    def test_closes_the_question_whether_to_cancel(self) -> None:
        asked = build_button_id(ButtonAction.CANCEL_SURELY, 10)
        context = replace(CURRENT, yes_button_id=asked)

        step = answer_question(Intent.REFUND, State.WAIT_PROOF, context, build_facts(PENDING))

        assert step.context == replace(CURRENT, misses=0)

    def test_offers_to_confirm_held_numbers_in_the_menu(self) -> None:
        reply = ask(Intent.THANKS, State.MENU, build_facts(DRAFT), context=Context())

        assert list_titles(reply) == ["Confirm", "Other numbers", "Cancel"]

    def test_chooses_among_several_orders_that_the_answer_lists(self) -> None:
        reply = ask(Intent.TOTAL, State.MENU, SITUATIONS["two to pay"], context=Context())

        assert "*R-9QWXZ* (Winter Raffle): $5.00 by 12:30" in reply.body
        assert "Together *$20.00*.\n\nWhich order do you mean?" in reply.body
        assert list_titles(reply) == ["R-7K3F9 $15.00", "R-9QWXZ $5.00"]

    def test_is_not_said_twice(self) -> None:
        held = ask(Intent.MORE_TIME, State.CONFIRM_RESERVATION, build_facts(DRAFT))
        unpaid = ask(Intent.HOW_TO_PAY, State.WAIT_PROOF, build_facts(PENDING))

        assert held.body.count("12:30") == 1
        assert held.body.endswith("Tap *Confirm* to order them.")
        assert unpaid.body.count("12:30") == 1


class TestRaffles:
    @walk_cases(
        ("intent", "raffle", "text"),
        [
            (Intent.PRICE, SUMMER, "*Summer Raffle*: $5.00 a number."),
            (Intent.PRICE, FREE, "The numbers of *Summer Raffle* are free."),
            (
                Intent.PRICE,
                DRAWN,
                (
                    "*Summer Raffle* has been drawn already: write *who won*. The price was $5.00 "
                    "a number."
                ),
            ),
            (Intent.PRIZE, SUMMER, "In *Summer Raffle* you can win *a motorbike*."),
            (
                Intent.DRAW_DATE,
                replace(SUMMER, draw_method=DrawMethod.RECORDED_DRUM),
                (
                    "*Summer Raffle*: draw on Sat 12 Dec, 20:00, by hand, recorded. Afterwards "
                    "write *who won*."
                ),
            ),
            (
                Intent.DRAW_DATE,
                SOLD_OUT,
                "*Summer Raffle*: drawn when all numbers are sold. Afterwards write *who won*.",
            ),
            (
                Intent.DRAW_DATE,
                replace(SUMMER, draw_at=None),
                "*Summer Raffle* has no draw date yet. The seller knows: Ana, +1 555 0100.",
            ),
            (
                Intent.DRAW_DATE,
                SEALED,
                (
                    "*Summer Raffle*: the draw is due, it was set for Sat 12 Dec, 20:00. "
                    "Afterwards write *who won*."
                ),
            ),
            (Intent.LEFT, SUMMER, "*Summer Raffle*: 743 of 1,000 numbers are left."),
            (Intent.LEFT, LAST, "*Summer Raffle*: 1 of 1 number is left."),
            (Intent.LEFT, SOLD_OUT, "*Summer Raffle* is sold out."),
            (Intent.LEFT, CALLED_OFF, "*Summer Raffle* was called off."),
            (
                Intent.LIMITS,
                SUMMER,
                (
                    "In *Summer Raffle* you can take 1 to 20 numbers at a time. Afterwards you can "
                    "buy again."
                ),
            ),
            (
                Intent.LIMITS,
                replace(SUMMER, remaining_for_buyer=4),
                (
                    "In *Summer Raffle* you can take 1 to 4 numbers at a time. In all you can "
                    "still have 4 numbers."
                ),
            ),
            (
                Intent.LIMITS,
                LIMITED,
                (
                    "You cannot take more numbers of *Summer Raffle* now. Questions go to the "
                    "seller: Ana, +1 555 0100."
                ),
            ),
            (
                Intent.AGE,
                SUMMER,
                (
                    "I ask for no age in *Summer Raffle*. The seller knows whether the law does: "
                    "Ana, +1 555 0100."
                ),
            ),
            (
                Intent.CHANCES,
                SUMMER,
                (
                    "You have no numbers of *Summer Raffle*; it has 1,000 in all. Only sold "
                    "numbers are drawn, each with the same chance. Nobody can promise a win."
                ),
            ),
            (
                Intent.CHANCES,
                replace(SUMMER, draw_method=DrawMethod.LOTTERY_DIGITS),
                (
                    "You have no numbers of *Summer Raffle*; it has 1,000 in all. How the "
                    "winning number is found, the *rules* say. Nobody can promise a win."
                ),
            ),
            (
                Intent.SELLER,
                LIMITED,
                "You reach the seller here: Ana, +1 555 0100. Club holds the raffle.",
            ),
        ],
    )
    def test_are_described_by_their_facts(
        self, intent: Intent, raffle: RaffleFacts, text: str
    ) -> None:
        reply = ask(intent, State.MENU, Facts(now=NOON), context=Context(), raffle=raffle)

        assert reply.body.split("\n\n")[0] == text

    def test_are_listed_if_several_may_be_meant(self) -> None:
        reply = ask(Intent.RAFFLES, State.MENU, SITUATIONS["twelve raffles"], context=Context())

        lines = reply.body.split("\n\n")[0].split("\n")
        assert lines[0] == "*Summer Raffle*: a motorbike · $5.00 a number · 743 left"
        assert (len(lines), lines[5]) == (6, "… and 7 more.")
        assert len(reply.rows) == 10

    def test_are_those_of_the_conversation_or_on_sale(self) -> None:
        both = build_facts(PAID, raffles=(SUMMER, WINTER))
        over = build_facts(replace(PAID, raffle=DRAWN), raffles=(WINTER,))

        current = ask(Intent.PRIZE, State.DONE, both)
        other = ask(Intent.PRIZE, State.DONE, both, raffle=WINTER)
        on_sale = ask(Intent.LEFT, State.DONE, over)

        assert "a motorbike" in current.body
        assert "a sledge" in other.body
        assert on_sale.body.startswith("*Winter Raffle*: 743")

    def test_say_what_the_seller_said_about_the_permit_and_no_more(self) -> None:
        with_permit = ask(Intent.REAL, State.CHOOSE_MODE, SITUATIONS["limited"])
        without = ask(Intent.REAL, State.WAIT_PROOF, build_facts(PENDING))

        assert "sold for Club by Ana, +1 555 0100. Permit: 7. 18+ only." in with_permit.body
        assert "Ana, +1 555 0100, who can tell you about the permit." in without.body
        assert "*rules*, *who won* or *verify 007*" in without.body

    def test_count_a_quantity(self) -> None:
        reply = ask(Intent.TOTAL, State.CHOOSE_MODE, build_facts(), quantity=10)

        assert "10 numbers cost *$50.00*." in reply.body


class TestOrders:
    @walk_cases(
        ("intent", "situation", "text"),
        [
            (Intent.TOTAL, "hold", "3 numbers, *$15.00* in all."),
            (Intent.TOTAL, "paid", "It is paid, so you owe nothing."),
            (Intent.TOTAL, "one raffle", "You have no open order, so you owe nothing.\n*Summer"),
            (Intent.HOW_TO_PAY, "to pay", "Bank of Example, account 000-123, name: Club.\nWrite "),
            (Intent.HOW_TO_PAY, "one raffle", "You pay to:\nBank of Example"),
            (Intent.HOW_TO_PAY, "review", "is being checked: there is nothing to pay now."),
            (Intent.HOW_TO_PAY, "free", "These numbers are free: there is nothing to pay."),
            (Intent.RECEIPT, "one raffle", "You have no order that waits for a receipt."),
            (Intent.RECEIPT, "hold", "Nothing is to be paid yet."),
            (Intent.RECEIPT, "to pay", "I have no receipt for order *R-7K3F9* to check."),
            (Intent.RECEIPT, "late and under review", "your receipt for order *R-7K3F9* is here"),
            (Intent.RECEIPT, "asked again", "needs one more photo or PDF: please send it here."),
            (Intent.RECEIPT, "paid", "order *R-7K3F9* is paid, and its 3 numbers are yours."),
            (Intent.RECEIPT, "late payment", "Ana, +1 555 0100 will decide with you what to do."),
            (Intent.RECEIPT, "expired", "If you have paid, send the receipt here"),
            (Intent.REFUND, "to pay", "As long as you have not paid, *CANCEL* costs nothing."),
            (Intent.REFUND, "paid", "Until the draw the seller can refund order *R-7K3F9*"),
            (Intent.REFUND, "called off", "Ana, +1 555 0100 will send your $15.00 back."),
            (Intent.REFUND, "drawn", "Refunds are possible until the draw"),
            (Intent.REFUND, "free", "so there is no money to give back."),
            (Intent.CHANGE, "hold", "write what to change, e.g. *003 instead of 007*."),
            (Intent.CHANGE, "to pay", "Write *CANCEL* and choose again"),
            (Intent.CHANGE, "paid", "is paid, so only the seller can change it: Ana"),
            (Intent.CHANGE, "sealed", "the numbers of order *R-7K3F9* are final."),
            (Intent.CAN_CANCEL, "hold of one", "and your number is free for others again."),
            (Intent.CAN_CANCEL, "review", "the seller sends it back: Ana"),
            (Intent.CAN_CANCEL, "paid", "so I cannot cancel it. Until the draw the seller can"),
            (Intent.MORE_TIME, "hold", "Once you confirm, you have 30 minutes to pay."),
            (Intent.MORE_TIME, "to pay", "A receipt stops the clock. The seller can give more"),
            (Intent.MORE_TIME, "review", "The clock has stopped while we check."),
            (Intent.MORE_TIME, "paid", "there is no deadline any more."),
            (Intent.MORE_TIME, "one raffle", "I hold the numbers you choose for 30 minutes"),
            (Intent.LATE, "to pay", "you get them back if they are still free."),
            (Intent.LATE, "hold of one", "After that your number is free for others"),
            (Intent.LATE, "expired", "The time of order *R-7K3F9* is over"),
            (Intent.LATER, "hold", "Take your time. Your numbers *007 · 213 · 845* are held"),
            (Intent.LATER, "to pay", "All right. Order *R-7K3F9* waits for $15.00 until 12:30"),
            (Intent.LATER, "one raffle", "All right, no hurry: write *hi* whenever you like."),
            (Intent.CHANCES, "hold", "You have 3 of 1,000 numbers of *Summer Raffle*."),
            (Intent.THANKS, "paid", "You are welcome. Good luck on Sat 12 Dec, 20:00!"),
        ],
    )
    def test_are_described_by_their_facts(self, intent: Intent, situation: str, text: str) -> None:
        reply = ask(intent, State.DONE, SITUATIONS[situation])

        assert text in reply.body

    def test_tell_the_order_they_are_about(self) -> None:
        known = SITUATIONS["two to pay"]

        assert ask(Intent.RECEIPT, State.WAIT_PROOF, known).about == "R-7K3F9"
        assert ask(Intent.RECEIPT, State.WAIT_PROOF, known, raffle=WINTER).about == "R-9QWXZ"

    @pytest.mark.parametrize(
        ("minutes", "span"),
        [(1, "1 minute"), (90, "90 minutes"), (120, "2 hours"), (1440, "1 day")],
    )
    def test_say_how_long_there_is_to_pay(self, minutes: int, span: str) -> None:
        raffle = replace(SUMMER, hold_minutes=minutes)
        order = replace(DRAFT, raffle=raffle, expires_at=NOON + timedelta(minutes=minutes))

        reply = ask(Intent.MORE_TIME, State.CONFIRM_RESERVATION, build_facts(order))

        assert f"you have {span} to pay." in reply.body
