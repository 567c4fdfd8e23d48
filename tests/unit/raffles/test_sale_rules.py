"""Tests of what a raffle may still sell and settle, by status and time."""

from datetime import datetime

import pytest

from shared.core.enums import RaffleStatus
from shared.core.errors import DomainError
from shared.raffles import sale_rules
from shared.raffles.errors import (
    DrawTimeReached,
    RaffleCalledOff,
    RaffleDrawn,
    RaffleNotSelling,
    RaffleSealed,
)
from shared.raffles.models import Raffle
from tests.builders import MINUTE, NOON

SECOND = MINUTE / 60
OPENING = NOON - 60 * MINUTE
DRAW = NOON + 120 * MINUTE
USUAL_END = DRAW - 60 * MINUTE
SETTLING = (RaffleStatus.DRAFT, RaffleStatus.OPEN, RaffleStatus.PAUSED, RaffleStatus.CLOSED)
FINAL_ERRORS: dict[RaffleStatus, type[DomainError]] = {
    RaffleStatus.SEALED: RaffleSealed,
    RaffleStatus.DRAWN: RaffleDrawn,
    RaffleStatus.CANCELLED: RaffleCalledOff,
}


def build_raffle(**fields: object) -> Raffle:
    """Build an open raffle that is not in the database."""
    return Raffle(**{"pk": 1, "status": RaffleStatus.OPEN, "draw_at": DRAW, **fields})


class TestSalesEnd:
    @pytest.mark.parametrize(
        ("draw_at", "chosen", "end"),
        [
            (None, None, None),
            (None, NOON, NOON),
            (DRAW, None, USUAL_END),
            (DRAW, NOON, NOON),
            (DRAW, DRAW, DRAW),
            (DRAW, DRAW + MINUTE, DRAW),
        ],
    )
    def test_is_an_hour_before_the_draw_or_as_chosen_and_never_after_it(
        self, draw_at: datetime | None, chosen: datetime | None, end: datetime | None
    ) -> None:
        raffle = build_raffle(draw_at=draw_at, sales_close_at=chosen)

        assert sale_rules.compute_sales_end(raffle) == end


class TestMaySellNew:
    @pytest.mark.parametrize(
        ("status", "now", "reason"),
        [
            *((s, NOON, s.lower()) for s in RaffleStatus if s != RaffleStatus.OPEN),
            *((s, DRAW, s.lower()) for s in RaffleStatus if s != RaffleStatus.OPEN),
            (RaffleStatus.OPEN, OPENING - SECOND, "not_yet"),
            (RaffleStatus.OPEN, OPENING, None),
            (RaffleStatus.OPEN, USUAL_END - SECOND, None),
            (RaffleStatus.OPEN, USUAL_END, "over"),
            (RaffleStatus.OPEN, DRAW, "over"),
            (RaffleStatus.OPEN, DRAW + MINUTE, "over"),
        ],
    )
    def test_only_while_open_and_between_the_ends_of_its_sale(
        self, status: RaffleStatus, now: datetime, reason: str | None
    ) -> None:
        raffle = build_raffle(status=status, sales_open_at=OPENING)

        assert sale_rules.get_not_selling_reason(raffle, now=now) == reason
        if reason is None:
            sale_rules.refuse_unless_selling(raffle, now=now)
            return
        with pytest.raises(RaffleNotSelling) as refusal:
            sale_rules.refuse_unless_selling(raffle, now=now)
        assert refusal.value.details == {"reason": reason}

    def test_until_sold_out_without_a_draw_date(self) -> None:
        raffle = build_raffle(draw_at=None, draw_when_sold_out=True)

        assert sale_rules.get_not_selling_reason(raffle, now=DRAW + 9999 * MINUTE) is None


class TestMayStillSettle:
    @pytest.mark.parametrize("status", SETTLING)
    @pytest.mark.parametrize(
        ("now", "error"),
        [
            (USUAL_END, None),
            (DRAW - SECOND, None),
            (DRAW, DrawTimeReached),
            (DRAW + MINUTE, DrawTimeReached),
        ],
    )
    def test_until_the_time_of_the_draw(
        self, status: RaffleStatus, now: datetime, error: type[DomainError] | None
    ) -> None:
        raffle = build_raffle(status=status)

        refusal = sale_rules.find_settling_refusal(raffle, now=now)

        assert type(refusal) is (error or type(None))
        assert sale_rules.may_still_settle(raffle, now=now) is (error is None)

    @pytest.mark.parametrize("status", FINAL_ERRORS)
    @pytest.mark.parametrize("now", [NOON, DRAW, DRAW + MINUTE])
    def test_never_once_sealed_drawn_or_called_off(
        self, status: RaffleStatus, now: datetime
    ) -> None:
        with pytest.raises(FINAL_ERRORS[status]):
            sale_rules.refuse_unless_settling(build_raffle(status=status), now=now)

    @pytest.mark.parametrize("status", SETTLING)
    def test_always_without_a_draw_date(self, status: RaffleStatus) -> None:
        raffle = build_raffle(status=status, draw_at=None)

        assert sale_rules.may_still_settle(raffle, now=DRAW + 9999 * MINUTE)

    def test_has_an_answer_for_every_status(self) -> None:
        assert {*SETTLING, *FINAL_ERRORS} == set(RaffleStatus)


@pytest.mark.parametrize("status", RaffleStatus)
def test_only_sealing_makes_the_list_of_sold_numbers_final(status: RaffleStatus) -> None:
    raffle = build_raffle(status=status)

    if status in {RaffleStatus.SEALED, RaffleStatus.DRAWN}:
        with pytest.raises(FINAL_ERRORS[status]):
            sale_rules.refuse_after_sealing(raffle)
    else:
        sale_rules.refuse_after_sealing(raffle)


@pytest.mark.parametrize(
    ("draw_at", "wanted", "deadline"),
    [
        (None, DRAW, DRAW),
        (DRAW, NOON, NOON),
        (DRAW, DRAW, DRAW),
        (DRAW, DRAW + MINUTE, DRAW),
    ],
)
def test_no_deadline_is_after_the_draw(
    draw_at: datetime | None, wanted: datetime, deadline: datetime
) -> None:
    assert sale_rules.cap_deadline(build_raffle(draw_at=draw_at), wanted) == deadline
