"""Sample facts about a buyer and orders, built without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from shared.conversation.context import Context
from shared.conversation.facts.draw_values import DrawFacts, PrizeFacts
from shared.conversation.facts.values import Facts, OrderFacts, RaffleFacts
from shared.core.enums import Mode, OrderStatus, State

NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

SUMMER: Final = RaffleFacts(
    id=1,
    title="Summer Raffle",
    prize="a motorbike",
    price=Decimal("5.00"),
    currency="USD",
    available=743,
    number_count=1000,
    first_number=0,
    last_number=999,
    width=3,
    min_per_order=1,
    max_per_order=20,
    seller_contact="Ana, +1 555 0100",
    payment_instructions="Bank of Example, account 000-123, name: Club.",
    draw_at=datetime(2026, 12, 12, 20, 0, tzinfo=UTC),
    example_numbers=(3, 8, 21, 34, 55),
)
DRAW: Final = DrawFacts(
    replace(SUMMER, draw_time_reached=True, not_selling_reason="drawn"),
    prizes=(
        PrizeFacts(
            "a motorbike",
            number=7,
            winner="Ana …34",
            claim_until=datetime(2027, 1, 11, 20, 0, tzinfo=UTC),
        ),
        PrizeFacts("a helmet"),
    ),
    sealed_count=843,
    list_hash="ab" * 32,
    drawn_at=datetime(2026, 12, 12, 20, 4, tzinfo=UTC),
)
WINTER: Final = replace(SUMMER, id=2, title="Winter Raffle", prize="a sledge")


def build_order(**changes: Any) -> OrderFacts:
    """Build an order of three numbers that waits for payment."""
    usual: dict[str, Any] = {
        "id": 10,
        "code": "R-7K3F9",
        "raffle": SUMMER,
        "status": OrderStatus.PENDING_PAYMENT,
        "mode": Mode.RANDOM,
        "numbers": (7, 213, 845),
        "total": Decimal("15.00"),
        "currency": "USD",
        "expires_at": NOON + timedelta(minutes=30),
    }
    return OrderFacts(**usual | changes)


DRAFT: Final = build_order(status=OrderStatus.DRAFT)
PENDING: Final = build_order()
REVIEWED: Final = build_order(expires_at=None, under_review=True)
PAID: Final = build_order(status=OrderStatus.PAID, expires_at=None)
EXPIRED: Final = build_order(status=OrderStatus.EXPIRED)
CANCELLED: Final = build_order(status=OrderStatus.CANCELLED, expires_at=None)


def build_facts(*orders: OrderFacts, raffles: tuple[RaffleFacts, ...] = (SUMMER,)) -> Facts:
    """Build the facts at noon."""
    return Facts(now=NOON, raffles=raffles, orders=orders, seller_contact="Ana, +1 555 0100")


FACTS_BY_STATE: Final[dict[State, tuple[Context, Facts]]] = {
    State.MENU: (Context(), build_facts(raffles=(SUMMER, WINTER))),
    State.CHOOSE_MODE: (Context(raffle_id=1), build_facts()),
    State.ASK_QTY: (Context(raffle_id=1, mode=Mode.RANDOM), build_facts()),
    State.ASK_PICK_NUMBERS: (Context(raffle_id=1, mode=Mode.PICK), build_facts()),
    State.CONFIRM_RESERVATION: (Context(raffle_id=1, draft_order_id=10), build_facts(DRAFT)),
    State.WAIT_PROOF: (Context(raffle_id=1, draft_order_id=10), build_facts(PENDING)),
    State.DONE: (Context(raffle_id=1, draft_order_id=10), build_facts(REVIEWED)),
}
"""Typical context and facts in each state."""
