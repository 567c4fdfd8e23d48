"""A raffle is closed, sealed, called off or moved while its orders change on other threads.

Nothing is retried here, so a deadlock fails the test.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import transaction

from shared.core.enums import OrderAction, RaffleStatus
from shared.core.errors import DomainError
from shared.raffles.models import Order, OrderEvent, Raffle, RaffleEvent
from shared.raffles.services import lifecycle, locks, reservations
from shared.raffles.services.draws import sealed_lists
from shared.raffles.services.proof_placement import proofs
from shared.raffles.signals import raffle_changed
from shared.use_cases import (
    cash_sales,
    late_payments,
    order_endings,
    payments,
    raffle_changes,
    reversals,
)
from shared.whatsapp.services.inbox import contacts
from tests import builders
from tests.builders import MINUTE, NOON, build_chat_actor, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.raffles import order_states
from tests.integration.use_cases import last_day_checks
from tests.integration.use_cases.last_day_checks import RaffleSnapshot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

ROUNDS: Final = 6
ORDERS: Final = 12
BY_STAFF: Final[dict[str, Any]] = {"by": build_staff_actor(), "now": NOON}
AFTER_SEALING: Final = frozenset(
    {
        OrderAction.REFUNDED,
        OrderAction.REFUND_NOTED,
        OrderAction.PROOF_RECEIVED,
        OrderAction.LATE_PAYMENT,
    }
)
"""Actions that an order of a sealed raffle may still have; none changes its status."""


class RaffleDay:
    """A raffle with orders in several states, and what each thread does to it."""

    def __init__(self) -> None:
        with transaction.atomic():
            self.raffle = builders.create_raffle(numbers=60)
            for place in range(ORDERS):
                numbers = [2 * place + 1, 2 * place + 2]
                build = ORDER_BUILDERS[place % len(ORDER_BUILDERS)]
                build(self.raffle, numbers=numbers)
        self.buyers = [builders.create_contact().pk for _ in range(4)]

    def choose(self, dice: Random) -> int:
        return dice.choice(list(Order.objects.values_list("pk", flat=True)))

    def confirm(self, dice: Random) -> None:
        payments.confirm_payment(self.choose(dice), **BY_STAFF)

    def take_back(self, dice: Random) -> None:
        late_payments.take_back_numbers(self.choose(dice), **BY_STAFF)

    def reverse(self, dice: Random) -> None:
        event = OrderEvent.objects.filter(action=OrderAction.PAID).order_by("?").first()
        if event is not None and dice.random() < 0.5:
            reversals.undo_confirmation(
                event.order_id, confirmation_id=event.pk, reason="mistake", **BY_STAFF
            )
        elif event is not None:
            reversals.refund_order(event.order_id, confirmation_id=event.pk, note="ill", **BY_STAFF)

    @transaction.atomic(durable=True)
    def hold(self, dice: Random) -> None:
        buyer = dice.choice(self.buyers)
        contacts.lock_contact(buyer)
        reservations.hold_random(
            self.raffle,
            contact_id=buyer,
            quantity=2,
            pivot=dice.randrange(2**31),
            now=NOON,
            by=build_chat_actor(),
        )

    def expire(self, dice: Random) -> None:
        order_endings.expire_due_orders(now=NOON + 40 * MINUTE, limit=3)

    def sell_for_cash(self, dice: Random) -> None:
        cash_sales.sell_for_cash(
            self.raffle.pk,
            numbers=None,
            quantity=1,
            buyer_name="Cara",
            buyer_phone="",
            request_key=UUID(int=dice.getrandbits(128)),
            pivot=dice.randrange(2**31),
            **BY_STAFF,
        )

    @transaction.atomic(durable=True)
    def send_receipt(self, dice: Random) -> None:
        order = locks.lock_order_with_contacts(self.choose(dice))
        if order.contact_id is None:
            return
        proofs.receive_proof(
            order_states.build_proof_source(),
            order=order,
            contact_id=order.contact_id,
            by=build_chat_actor(),
            now=NOON,
        )

    def follow_raffle(self, dice: Random) -> None:
        raffle_changes.continue_raffle_changes(now=NOON, limit=5)

    def move_draw(self, dice: Random) -> None:
        lifecycle.move_draw(
            self.raffle.pk,
            draw_at=NOON + dice.randrange(60, 600) * MINUTE,
            reason="rain",
            **BY_STAFF,
        )

    def seal(self, dice: Random) -> None:
        """End what is unsettled, close the raffle and try to seal it."""
        with suppress(DomainError):
            lifecycle.close(self.raffle.pk, **BY_STAFF)
        for order_id in Order.objects.filter(status__in=Order.LIVE).values_list("pk", flat=True):
            with suppress(DomainError):
                order_endings.cancel_order(order_id, **BY_STAFF)
        for order_id in Order.objects.filter(needs_decision=True).values_list("pk", flat=True):
            with suppress(DomainError):
                late_payments.note_refund(order_id, note="sent back", **BY_STAFF)
        sealed_lists.seal(self.raffle.pk, two_people=False, **BY_STAFF)

    def call_off(self, dice: Random) -> None:
        if dice.random() < 0.4:
            lifecycle.call_off(self.raffle.pk, reason="storm", **BY_STAFF)


ORDER_BUILDERS: Final[list[Callable[..., Order]]] = [
    order_states.create_held_order,
    order_states.create_placed_order,
    order_states.create_order_under_review,
    order_states.create_paid_order,
    order_states.create_expired_order,
]


def run_steps_at_once(seed: int, steps: list[Callable[[Random], None]]) -> None:
    """Repeat each step in a thread of its own; refusals are expected."""

    def repeat(place: int) -> None:
        dice = Random(100 * seed + place)
        for _ in range(ROUNDS):
            with suppress(DomainError):
                steps[place](dice)

    run_at_once([partial(repeat, place) for place in range(len(steps))])


@pytest.fixture
def frozen(db: None) -> Iterator[list[RaffleSnapshot]]:
    """Collect snapshots that are taken in the very transactions that seal or call off a raffle."""
    taken: list[RaffleSnapshot] = []

    def take(raffle: Raffle, **_: Any) -> None:
        if raffle.status in last_day_checks.UNSETTLED:
            taken.append(last_day_checks.take_snapshot(raffle.pk))

    raffle_changed.connect(take)
    yield taken
    raffle_changed.disconnect(take)


def assert_nothing_moved_behind(frozen: RaffleSnapshot) -> None:
    """Check that the orders changed after the snapshot only as a sealed raffle allows."""
    after = last_day_checks.take_snapshot(frozen.raffle.pk)
    behind = OrderEvent.objects.filter(pk__gt=frozen.last_event_id)
    last_day_checks.assert_change_allowed(frozen, after, now=NOON)
    if frozen.raffle.status == RaffleStatus.SEALED:
        assert set(behind.values_list("action", flat=True)) <= AFTER_SEALING
    last_day_checks.assert_consistent(frozen.raffle.pk)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("ends", ["seal", "call_off"])
def test_no_order_changes_behind_a_raffle_that_ends(
    frozen: list[RaffleSnapshot], ends: str, seed: int
) -> None:
    day = RaffleDay()
    end = getattr(day, ends)

    run_steps_at_once(
        seed,
        [
            *(day.confirm, day.take_back, day.reverse, day.hold),
            *(day.expire, day.sell_for_cash, day.send_receipt, end),
        ],
    )
    if not frozen:
        getattr(day, ends)(Random(0))
    work_off_raffle_changes()

    assert_nothing_moved_behind(frozen[0])


def test_whoever_ends_moves_or_calls_off_at_once_waits_for_nobody_for_ever(
    frozen: list[RaffleSnapshot],
) -> None:
    day = RaffleDay()

    run_steps_at_once(
        0,
        [
            *(day.confirm, day.hold, day.reverse, day.move_draw),
            *(day.move_draw, day.follow_raffle, day.seal, day.call_off),
        ],
    )
    work_off_raffle_changes()

    last_day_checks.assert_consistent(day.raffle.pk)
    if frozen:
        assert_nothing_moved_behind(frozen[0])


def work_off_raffle_changes() -> None:
    while RaffleEvent.objects.filter(unfinished=True).exists():
        raffle_changes.continue_raffle_changes(now=NOON)
