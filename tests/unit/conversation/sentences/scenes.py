"""Scenes in which buyers write: a state, what they have, and what is on sale."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from shared.conversation.button_ids import ButtonAction, build_button_id
from shared.conversation.context import Context
from shared.conversation.facts.values import Facts
from shared.core.enums import Mode, State
from tests.unit.conversation.sample_facts import (
    DRAFT,
    NOON,
    PAID,
    PENDING,
    REVIEWED,
    SUMMER,
    WINTER,
    build_facts,
    build_order,
)

DRAWN: Final = replace(SUMMER, draw_time_reached=True, not_selling_reason="drawn")
PICKED: Final = replace(DRAFT, mode=Mode.PICK, numbers=(7, 13), total=Decimal("10.00"))
SECOND: Final = build_order(
    id=12, code="R-9QWXZ", raffle=WINTER, numbers=(100,), total=Decimal("5.00")
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment of a conversation.

    Attributes:
        state: the state that is stored.
        context: the context that is stored.
        facts: what is true of the buyer and of the raffles.

    """

    state: State
    context: Context
    facts: Facts


SCENES: Final[Mapping[str, Scene]] = {
    "menu_one": Scene(State.MENU, Context(), build_facts()),
    "menu_two": Scene(State.MENU, Context(), build_facts(raffles=(SUMMER, WINTER))),
    "mode": Scene(State.CHOOSE_MODE, Context(raffle_id=1), build_facts()),
    "quantity": Scene(State.ASK_QTY, Context(raffle_id=1, mode=Mode.RANDOM), build_facts()),
    "pick": Scene(State.ASK_PICK_NUMBERS, Context(raffle_id=1, mode=Mode.PICK), build_facts()),
    "hold_random": Scene(
        State.CONFIRM_RESERVATION,
        Context(raffle_id=1, draft_order_id=10, mode=Mode.RANDOM),
        build_facts(DRAFT),
    ),
    "hold_picked": Scene(
        State.CONFIRM_RESERVATION,
        Context(raffle_id=1, draft_order_id=10, mode=Mode.PICK),
        build_facts(PICKED),
    ),
    "pay": Scene(
        State.WAIT_PROOF,
        Context(raffle_id=1, draft_order_id=10),
        build_facts(PENDING, raffles=(SUMMER, WINTER)),
    ),
    "review": Scene(State.DONE, Context(raffle_id=1, draft_order_id=10), build_facts(REVIEWED)),
    "paid": Scene(
        State.DONE,
        Context(raffle_id=1, draft_order_id=10),
        build_facts(PAID, raffles=(SUMMER, WINTER)),
    ),
    "drawn": Scene(State.MENU, Context(), build_facts(replace(PAID, raffle=DRAWN), raffles=())),
    "cancel_asked": Scene(
        State.WAIT_PROOF,
        Context(
            raffle_id=1,
            draft_order_id=10,
            yes_button_id=build_button_id(ButtonAction.CANCEL_SURELY, 10),
        ),
        build_facts(PENDING),
    ),
    "receipt_asked": Scene(
        State.WAIT_PROOF,
        Context(raffle_id=1, draft_order_id=10, proof_id=5, proof_order_ids=(10, 12)),
        build_facts(PENDING, SECOND, raffles=(SUMMER, WINTER)),
    ),
    "age_asked": Scene(
        State.ASK_QTY,
        Context(
            raffle_id=1,
            mode=Mode.RANDOM,
            qty=3,
            yes_button_id=build_button_id(ButtonAction.ADULT, 1),
        ),
        build_facts(raffles=(replace(SUMMER, adults_only=True),)),
    ),
    "late": Scene(
        State.WAIT_PROOF,
        Context(raffle_id=1, draft_order_id=10),
        build_facts(replace(PENDING, expires_at=NOON + timedelta(minutes=4))),
    ),
}
"""The scenes by the name that the table uses.

Numbers go from 000 to 999 at $5.00; 1 to 20 may be taken at once and 743 are free. The random hold
has 007, 213 and 845, the picked one 007 and 013. The order to be paid is R-7K3F9, $15.00.
"""
