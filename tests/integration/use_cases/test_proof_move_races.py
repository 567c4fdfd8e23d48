"""A proof is moved while its orders are confirmed, expire, or lose it to another reviewer.

Nothing is retried here, so a deadlock fails the test.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from django.db import transaction

from shared.core.enums import OrderStatus, ProofStatus, Verdict
from shared.core.errors import DomainError
from shared.raffles.models import Order, PaymentProof, Raffle
from shared.raffles.results import AlreadySettled
from shared.raffles.services.ticket_numbers import inventory
from shared.use_cases import order_endings, payments, proof_sorting
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.integration.concurrency import run_at_once
from tests.integration.raffles import order_states

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

ROUNDS: Final = 5
BY_STAFF: Final[dict[str, Any]] = {"by": build_staff_actor(), "now": NOON + MINUTE}
EXPIRY: Final = NOON + 40 * MINUTE

type Act = Callable[[], object]


def race(*acts: Act) -> list[str]:
    """Run all calls at once; return "done", "repeated" or the code of the refusal of each."""

    def one(act: Act) -> str:
        try:
            outcome = act()
        except DomainError as refusal:
            return refusal.code
        return "repeated" if isinstance(outcome, AlreadySettled) else "done"

    results = run_at_once([partial(one, act) for act in acts])
    assert inventory.find_inventory_problems() == []
    return results


def mark_files_as_kept() -> None:
    PaymentProof.objects.update(status=ProofStatus.KEPT, fetch_at=None)


class Case:
    """An order under review, one that waits, and a third; what two people do to them."""

    def __init__(self) -> None:
        with transaction.atomic():
            self.raffle: Raffle = builders.create_raffle(numbers=20)
            self.source = order_states.create_order_under_review(self.raffle, numbers=[1])
            self.target = order_states.create_placed_order(self.raffle, numbers=[2])
            self.third = order_states.create_placed_order(self.raffle, numbers=[3])
        self.proof = self.source.proofs.get()
        mark_files_as_kept()

    def move(self, proof: PaymentProof, source: Order, target: Order) -> object:
        return proof_sorting.move_proof(
            proof.pk, from_order_id=source.pk, to_order_id=target.pk, **BY_STAFF
        )

    def move_away(self) -> object:
        return self.move(self.proof, self.source, self.target)

    def move_elsewhere(self) -> object:
        return self.move(self.proof, self.source, self.third)

    def confirm(self, order: Order, *seen: PaymentProof) -> object:
        return payments.confirm_payment(
            order.pk, seen_proofs=[proof.pk for proof in seen], reviewed=True, **BY_STAFF
        )

    def status(self, order: Order) -> OrderStatus:
        return OrderStatus(order_states.reload_order(order).status)

    def verdict(self) -> tuple[int | None, str]:
        self.proof.refresh_from_db()
        return self.proof.order_id, self.proof.verdict


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_proof_is_moved_or_confirmed_where_it_was(_: int) -> None:
    case = Case()

    moved, confirmed = race(case.move_away, lambda: case.confirm(case.source, case.proof))

    if moved == "done":
        assert confirmed == "proof_elsewhere"
        assert case.status(case.source) == OrderStatus.PENDING_PAYMENT
        assert case.verdict() == (case.target.pk, Verdict.PENDING)
    else:
        assert (moved, confirmed) == ("proof_settled", "done")
        assert case.verdict() == (case.source.pk, Verdict.ACCEPTED)


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_proof_comes_before_the_verdict_on_its_new_order_or_not_at_all(_: int) -> None:
    case = Case()
    with transaction.atomic():
        own = order_states.receive_proof(case.target).proof
        mark_files_as_kept()

    moved, confirmed = race(case.move_away, lambda: case.confirm(case.target, own))

    if moved == "done":
        assert confirmed == "proof_unseen"
        assert case.status(case.target) == OrderStatus.PENDING_PAYMENT
    else:
        assert (moved, confirmed) == ("order_already_paid", "done")
        assert case.verdict() == (case.source.pk, Verdict.PENDING)
        assert order_states.reload_order(case.source).under_review


@pytest.mark.parametrize("_", range(ROUNDS))
def test_a_proof_is_moved_once(_: int) -> None:
    case = Case()

    results = race(case.move_away, case.move_elsewhere, case.move_away)

    assert sorted(results) == ["done", "proof_settled", "proof_settled"]
    reviewed = [
        order_states.reload_order(order).under_review for order in (case.target, case.third)
    ]
    assert sorted(reviewed) == [False, True]
    assert not order_states.reload_order(case.source).under_review


@pytest.mark.parametrize("_", range(ROUNDS))
def test_two_proofs_change_places_without_a_deadlock(_: int) -> None:
    case = Case()
    with transaction.atomic():
        back = order_states.receive_proof(case.target).proof

    results = race(case.move_away, lambda: case.move(back, case.target, case.source))

    assert results == ["done", "done"]
    assert case.source.proofs.get() == back
    assert case.target.proofs.get() == case.proof
    for order in (case.source, case.target):
        assert order_states.reload_order(order).under_review


@pytest.mark.parametrize("_", range(ROUNDS))
def test_an_order_that_expires_meanwhile_takes_its_numbers_back(_: int) -> None:
    case = Case()

    moved, _expired = race(
        case.move_away, lambda: order_endings.expire_due_orders(now=EXPIRY, limit=10)
    )

    assert moved == "done"
    target = order_states.reload_order(case.target)
    assert (target.status, target.under_review) == (OrderStatus.PENDING_PAYMENT, True)
    assert case.verdict() == (case.target.pk, Verdict.PENDING)
