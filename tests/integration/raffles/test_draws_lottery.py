"""Tests of lottery digits: unsold numbers, several prizes, further draws and corrected values."""

from datetime import timedelta

import pytest

from shared.core.enums import RedrawReason, VoidReason
from shared.raffles.draws import draw_errors
from shared.raffles.draws.draw_models import DrawResult, SealedList
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, source_readings
from tests.integration.raffles.draw_steps import (
    DRAW_AT,
    RITA,
    WEEK,
    choose_lottery,
    create_sealed_raffle,
    draw,
    enter,
    get_latest_result,
    list_numbers,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.same_everywhere]

CAR_AND_BICYCLE = ("a car", "a bicycle")


def redraw(raffle: Raffle, *, prize: int = 1) -> DrawResult:
    """Draw a prize again, because its winner declines."""
    return drawing.redraw(
        get_latest_result(raffle, prize=prize).pk,
        reason=RedrawReason.DECLINED,
        comment="does not want it",
        by=RITA,
        now=DRAW_AT + 4 * WEEK,
    )


def void(reading_id: int) -> None:
    """Declare values misread."""
    source_readings.void_reading(
        reading_id, reason=VoidReason.MISREAD, comment="a typo", by=RITA, now=DRAW_AT
    )


def test_each_source_serves_its_prize_and_a_drawn_number_passes_upwards() -> None:
    raffle = create_sealed_raffle(choose_lottery(prizes=CAR_AND_BICYCLE), sold=[5, 7, 40, 98])
    enter(raffle, "1206")
    with pytest.raises(draw_errors.InputsMissing) as missing:
        draw(raffle)
    assert missing.value.details["missing"] == ["Lotería de Bogotá"]
    enter(raffle, "9907", position=2)

    draw(raffle)

    assert list_numbers(raffle) == [7, 40]  # 06 was not sold, 07 has won
    assert redraw(raffle).number == 98  # upwards from 07: 40 has won
    assert redraw(raffle, prize=2).number == 5  # upwards from 40: 98 has won
    with pytest.raises(draw_errors.PoolExhausted):
        redraw(raffle)
    assert list_numbers(raffle) == [98, 5]


def test_a_corrected_value_changes_its_own_prize_alone() -> None:
    raffle = create_sealed_raffle(choose_lottery(prizes=CAR_AND_BICYCLE), sold=[5, 7, 40, 98])
    wrong = enter(raffle, "0005")
    enter(raffle, "0007", position=2)
    draw(raffle)
    redraw(raffle)
    assert list_numbers(raffle) == [40, 7]

    void(wrong.pk)
    enter(raffle, "0007")
    again = draw(raffle)

    assert [result.prize.title for result in again.results] == ["a car"]
    assert list_numbers(raffle) == [40, 7]  # 07 has won the bicycle; 05 and 40 count no more
    assert redraw(raffle).number == 98
    assert redraw(raffle, prize=2).number == 5


def test_an_unsold_number_leaves_the_decision_to_the_next_date() -> None:
    raffle = create_sealed_raffle(choose_lottery(later=True), sold=[5, 7, 40])
    unsold = enter(raffle, "1206")
    with pytest.raises(draw_errors.InputsMissing):
        draw(raffle)
    with pytest.raises(draw_errors.ValueNotDue):
        enter(raffle, "1207", now=DRAW_AT + WEEK - timedelta(seconds=1))
    decisive = enter(raffle, "1207", now=DRAW_AT + WEEK)
    assert (decisive.date_index, decisive.at) == (1, DRAW_AT + WEEK)
    drawn = draw(raffle, now=DRAW_AT + WEEK).results[0]
    assert (drawn.number, drawn.how["readings"]) == (7, [unsold.pk, decisive.pk])

    void(unsold.pk)

    raffle.refresh_from_db()
    state = source_readings.load_source_states(raffle, SealedList.objects.get(raffle=raffle))[0]
    assert (state.date_index, state.reading) == (0, None)
    with pytest.raises(draw_errors.ResultVoid):
        redraw(raffle)
    enter(raffle, "1240")
    assert draw(raffle).results[0].number == 40
    assert redraw(raffle).number == 5  # upwards; no other date decides about a further draw


def test_of_two_values_the_later_one_counts_again_if_the_first_is_still_unsold() -> None:
    raffle = create_sealed_raffle(choose_lottery(later=True), sold=[5, 7, 40])
    void_later = enter(raffle, "0001")
    enter(raffle, "0007", now=DRAW_AT + WEEK)
    void(void_later.pk)
    enter(raffle, "0002")
    assert draw(raffle).results[0].number == 7
