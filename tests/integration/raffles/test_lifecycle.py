"""Tests of opening, pausing and closing a raffle."""

from collections.abc import Callable

import pytest

from shared.core.enums import RaffleStatus
from shared.raffles.errors import NumbersMissing, RaffleNotFound, TransitionNotAllowed
from shared.raffles.models import Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.ticket_numbers import number_generation
from shared.raffles.transitions import RAFFLE_TRANSITIONS
from tests import builders
from tests.builders import MINUTE, NOON, build_staff_actor
from tests.cases import walk_cases

pytestmark = pytest.mark.django_db(transaction=True)

CHANGES: list[tuple[Callable[..., Raffle], RaffleStatus]] = [
    (lifecycle.open_raffle, RaffleStatus.OPEN),
    (lifecycle.pause, RaffleStatus.PAUSED),
    (lifecycle.close, RaffleStatus.CLOSED),
]


class TestEveryChange:
    @walk_cases("current", RaffleStatus)
    @walk_cases(("change", "wanted"), CHANGES)
    def test_follows_the_table(
        self, change: Callable[..., Raffle], wanted: RaffleStatus, current: RaffleStatus
    ) -> None:
        raffle = builders.create_raffle(numbers=3, status=current)
        later = raffle.updated_at + MINUTE
        if wanted in RAFFLE_TRANSITIONS[current]:
            changed = change(raffle.pk, by=build_staff_actor(), now=later)
            assert changed.status == wanted
            raffle.refresh_from_db()
            assert (raffle.status, raffle.updated_at) == (wanted, later)
            return

        with pytest.raises(TransitionNotAllowed):
            change(raffle.pk, by=build_staff_actor(), now=later)
        raffle.refresh_from_db()
        assert raffle.status == current

    @pytest.mark.parametrize(("change", "_"), CHANGES)
    def test_says_so_when_there_is_no_such_raffle(
        self, change: Callable[..., Raffle], _: RaffleStatus
    ) -> None:
        with pytest.raises(RaffleNotFound):
            change(0, by=build_staff_actor(), now=NOON)


class TestOpen:
    def test_waits_until_all_numbers_exist(self) -> None:
        raffle = builders.create_raffle(numbers=10, with_numbers=False, status=RaffleStatus.DRAFT)

        with pytest.raises(NumbersMissing) as refusal:
            lifecycle.open_raffle(raffle.pk, by=build_staff_actor(), now=NOON)
        number_generation.generate_numbers(raffle.pk)

        assert refusal.value.details == {"missing": 10}
        assert (
            lifecycle.open_raffle(raffle.pk, by=build_staff_actor(), now=NOON).status
            == RaffleStatus.OPEN
        )
