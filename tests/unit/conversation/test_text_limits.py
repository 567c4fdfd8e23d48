"""Every message about an order is one that Meta accepts, with nothing cut off."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from typing import Any, Final

from django.db import models

from shared.conversation.conversation_events import FreeNumbersFound, NumbersChecked
from shared.conversation.facts.draw_values import (
    DrawFacts,
    NumberFacts,
    NumberStatus,
    PrizeFacts,
)
from shared.conversation.facts.values import OrderFacts, RaffleFacts
from shared.conversation.texts import (
    age,
    draw_updates,
    draws,
    free_numbers,
    number_changes,
    number_questions,
    order_status,
    order_updates,
    orders,
    proof_updates,
    raffle_updates,
    receipts,
)
from shared.conversation.understanding.numbers.number_patterns import NumberPattern, Parity
from shared.conversation.values import Reply
from shared.core.constants import MAX_NOTE_LENGTH
from shared.core.enums import FileFailure, OrderStatus, RejectReason
from shared.raffles.models import Raffle
from shared.whatsapp import messages
from tests import meta_limits
from tests.cases import walk_cases
from tests.unit.conversation.sample_facts import NOON, SUMMER, build_order


def get_longest(field: str) -> int:
    """Return the most characters of a raffle's field."""
    found = Raffle._meta.get_field(field)
    assert isinstance(found, models.Field)
    return found.max_length or 0


SELLER: Final = "Ana " + "é" * (get_longest("seller_contact") - 4)
NOTE: Final = "note " + "🎟" * (MAX_NOTE_LENGTH // 2 - 5) + " end"
PAID_NOTE: Final = order_status.build_paid_without_proof_note()
LONG_RAFFLE: Final = replace(
    SUMMER,
    title="🎟" * get_longest("title"),
    seller_contact=SELLER,
    number_count=9_999_999,
    last_number=9_999_998,
    width=7,
)
LONG_ORDER: Final = build_order(
    code="R-ZZZZZZZZZZ",
    raffle=LONG_RAFFLE,
    receipt_entry=9_999_999,
    receipt_head="9f3a12c8",
    numbers=tuple(range(1_000_003, 9_999_999, 90_001))[:100],
    total=Decimal("999999999999.99"),
)

PRIZE: Final = "🎁" * 120


def build_draw(raffle: RaffleFacts, *, prizes: int) -> DrawFacts:
    """Build a drawn raffle with long names."""
    won = PrizeFacts(PRIZE, number=7, winner="é" * 60, claim_until=NOON + timedelta(days=400))
    drawn = replace(raffle, draw_time_reached=True, not_selling_reason="drawn")
    return DrawFacts(
        drawn, prizes=(won,) * prizes, sealed_count=9_999_999, list_hash="ab" * 32, drawn_at=NOON
    )


FREE_NUMBERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "few": {"numbers": LONG_ORDER.numbers[:1]},
    "many": {"numbers": LONG_ORDER.numbers[:13]},
    "three": {"numbers": LONG_ORDER.numbers[:13], "quantity": 3},
    "all": {"numbers": LONG_ORDER.numbers, "quantity": 100},
    "too many": {"numbers": LONG_ORDER.numbers, "quantity": 10**9},
    "near": {
        "near": LONG_ORDER.numbers[:13],
        "near_pattern": NumberPattern(ending="999999"),
    },
    "none": {},
}


def build_numbers_like(found: Mapping[str, Any], order: OrderFacts) -> Reply:
    """Build the answer with free numbers of a long pattern."""
    pattern = NumberPattern(
        starting="1234567", ending="9999999", containing="555", parity=Parity.ODD, low=1, high=9
    )
    raffle = replace(order.raffle, max_per_order=100)
    return free_numbers.build_numbers_like_message(
        raffle, FreeNumbersFound(raffle, pattern, **found)
    )


BUILDERS: Final[Mapping[str, Callable[[OrderFacts], Reply]]] = {
    "paid": order_updates.build_paid_message,
    "unconfirmed": order_updates.build_unconfirmed_message,
    "refunded": lambda order: order_updates.build_refunded_message(order, note=NOTE),
    "rejected": lambda order: order_updates.build_rejected_message(
        order, reason=RejectReason.OTHER, note=NOTE, now=NOON
    ),
    "more_time": lambda order: order_updates.build_more_time_message(order, now=NOON),
    "asked_again": lambda order: order_updates.build_asked_again_message(order, note=NOTE),
    "cancelled_by_seller": lambda order: order_updates.build_cancelled_by_seller_message(
        order, reason=NOTE
    ),
    "expired": order_updates.build_expired_message,
    "late_payment": order_updates.build_late_payment_message,
    "numbers_replaced": lambda order: order_updates.build_numbers_replaced_message(
        order, old=range(1_000_000, 1_000_100)
    ),
    "refund_noted": lambda order: order_updates.build_refund_noted_message(order, note=NOTE),
    "proof_moved": lambda order: proof_updates.build_proof_moved_message(
        order, to="R-ZZZZZZZZZZ", now=NOON
    ),
    "second_dismissed": lambda order: proof_updates.build_second_proof_dismissed_message(
        order, note=NOTE
    ),
    "second_refunded": lambda order: proof_updates.build_second_payment_refunded_message(
        order, amount=order.total, note=NOTE
    ),
    "draw_moved": lambda order: raffle_updates.build_draw_moved_message(
        order, before=NOON + timedelta(days=400), note=NOTE
    ),
    "sale_paused": lambda order: raffle_updates.build_sale_stopped_message(
        [replace(order, raffle=replace(order.raffle, not_selling_reason="paused"))], now=NOON
    ),
    "sale_closed": lambda order: raffle_updates.build_sale_stopped_message([order] * 2, now=NOON),
    "called_off": lambda order: raffle_updates.build_called_off_message(order, note=NOTE),
    "too_late_for_draw": raffle_updates.build_too_late_message,
    "cancelled": orders.build_cancelled_message,
    "cannot_cancel": orders.build_cannot_cancel_message,
    "proof_received": orders.build_proof_received_message,
    "proof_added": orders.build_proof_added_message,
    "which_order": lambda order: receipts.build_which_order_message(77, [order] * 3),
    "which_order_of_many": lambda order: receipts.build_which_order_message(77, [order] * 10),
    "pay_which": lambda order: receipts.build_pay_which_message([order] * 3, note=PAID_NOTE),
    "proof_for_several": lambda order: receipts.build_proof_for_several_message([order] * 2),
    "review_limit": receipts.build_review_limit_message,
    "file_lost": lambda order: receipts.add_time_left(
        order_updates.build_file_lost_message(order), order, now=NOON
    ),
    "late_proof": lambda order: orders.build_late_proof_message(order, secured=False),
    "late_proof_secured": lambda order: orders.build_late_proof_message(order, secured=True),
    "held": lambda order: orders.build_held_message(order, now=NOON),
    "what_instead": lambda order: orders.build_what_instead_message(order, now=NOON),
    "add_or_replace": lambda order: number_questions.build_add_or_replace_message(
        order, LONG_ORDER.numbers
    ),
    "replace_hold": lambda order: number_questions.build_replace_hold_message(order, 5),
    "these_numbers": lambda order: number_questions.build_these_numbers_message(
        order.raffle, order.numbers
    ),
    "quantity_or_number": lambda order: number_questions.build_quantity_or_number_message(
        order.raffle, 5, hold=order
    ),
    **{
        f"file_lost_{failure}": partial(order_updates.build_file_lost_message, failure=failure)
        for failure in FileFailure
    },
    "winner": lambda order: draw_updates.build_winner_message(
        order,
        result_id=10**9,
        prize=PRIZE,
        number=9_999_998,
        claim_until=NOON + timedelta(days=400),
        now=NOON,
    ),
    "prize_lost": lambda order: draw_updates.build_prize_lost_message(
        order, prize=PRIZE, number=9_999_998
    ),
    "age_question": lambda order: age.build_age_question(order.raffle),
    "age_refused": lambda order: age.build_age_refused_message(order.raffle),
    "verify": lambda order: draws.build_number_message(
        NumberFacts(build_draw(order.raffle, prizes=1), 7, NumberStatus.SOLD, entry=10**6),
        is_own=True,
        can_take=True,
        now=NOON,
    ),
    **{
        f"{name} of {prizes}": partial(build, prizes)
        for prizes in (1, 7, 50)
        for name, build in {
            "results": lambda prizes, order: draws.build_results_message(
                [build_draw(order.raffle, prizes=prizes)] * 3,
                upcoming=[order.raffle] * 3,
                own_numbers={},
                now=NOON,
            ),
            "results_told": lambda prizes, order: draw_updates.build_results_told_message(
                order, build_draw(order.raffle, prizes=prizes), now=NOON
            ),
        }.items()
    },
    **{
        f"numbers_like_{name}": partial(build_numbers_like, found)
        for name, found in FREE_NUMBERS.items()
    },
    "numbers_fixed": lambda order: number_changes.build_numbers_fixed_message(
        order, more=LONG_ORDER.numbers[:20]
    ),
    "drop_which": number_changes.build_drop_which_message,
    "drop_which_of_ten": lambda order: number_changes.build_drop_which_message(
        replace(order, numbers=LONG_ORDER.numbers[:10])
    ),
    "give_back": lambda order: number_changes.build_give_back_message(
        order,
        LONG_ORDER.numbers[:50],
        others=number_changes.build_not_yours_note(order.raffle, LONG_ORDER.numbers[50:]),
    ),
    "give_back_all": number_changes.build_give_back_all_message,
    "numbers_free": lambda order: free_numbers.build_numbers_checked_message(
        NumbersChecked(
            order.raffle,
            free=LONG_ORDER.numbers[:30],
            taken=LONG_ORDER.numbers[30:70],
            unknown=LONG_ORDER.numbers[70:],
            neighbours=LONG_ORDER.numbers[:6],
        ),
        order.raffle,
        own=LONG_ORDER.numbers[30:50],
        hold=order,
    ),
    "under_review": order_status.build_under_review_message,
    "all_done": order_status.build_all_done_message,
}


@walk_cases("name", BUILDERS)
def test_every_message_is_accepted_by_meta_and_loses_nothing(name: str) -> None:
    for status, has_receipt in product(OrderStatus, (True, False)):
        reply = BUILDERS[name](replace(LONG_ORDER, status=status, has_receipt=has_receipt))

        message = reply.to_whatsapp_message()

        assert meta_limits.find_message_faults(message) == [], (status, has_receipt)
        assert reply.body in messages.render_preview(message), (status, has_receipt)


RAFFLES: Final[Mapping[str, RaffleFacts]] = {
    "no date": replace(SUMMER, draw_at=None),
    "drawn when sold out": replace(SUMMER, draw_at=None, draw_when_sold_out=True),
    "draw time reached": replace(SUMMER, draw_time_reached=True, not_selling_reason="over"),
    "called off": replace(SUMMER, not_selling_reason="cancelled"),
}


@walk_cases(("name", "raffle"), product(BUILDERS, RAFFLES))
def test_every_message_can_be_built_for_every_order(name: str, raffle: str) -> None:
    for status in OrderStatus:
        reply = BUILDERS[name](build_order(status=status, raffle=RAFFLES[raffle]))

        assert meta_limits.find_message_faults(reply.to_whatsapp_message()) == [], status
        assert "  " not in reply.body, status
        assert not [fault for fault in ("..", " .", "None", "{", "}") if fault in reply.body]


SPEAKS_OF_ALL_NUMBERS: Final = (
    "when all numbers are sold",
    " random numbers",
    "write them as",
    "hold numbers",
    "no more numbers",
)
"""Phrases about other numbers than those of the order."""


OF_OTHER_NUMBERS: Final = ("add_or_replace", "numbers_like", "numbers_free", "give_back")
"""Texts about many numbers, whatever the order has."""


@walk_cases(("name", "raffle"), product(BUILDERS, ["one number", *RAFFLES]))
def test_one_number_is_spoken_of_as_one(name: str, raffle: str) -> None:
    if name.startswith(OF_OTHER_NUMBERS):
        return
    for status in OrderStatus:
        order = build_order(
            status=status,
            numbers=(7,),
            total=Decimal("5.00"),
            raffle=RAFFLES.get(raffle, SUMMER),
            needs_decision=status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED},
        )

        said = BUILDERS[name](order).body.replace(NOTE, "")

        for phrase in SPEAKS_OF_ALL_NUMBERS:
            said = said.replace(phrase, "")
        faults = ("numbers", "*007* are", "they are", "stay yours", "007 are")
        assert [fault for fault in faults if fault in said] == [], said
