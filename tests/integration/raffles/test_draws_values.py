"""Tests of values of public sources: who enters, confirms and declares them void, and when."""

import dataclasses
from datetime import datetime, timedelta

import pytest
from django.core.files.base import ContentFile

from shared.core.enums import RaffleAction, RedrawReason, VoidReason
from shared.raffles.actor import Actor
from shared.raffles.draws import draw_errors
from shared.raffles.draws.draw_models import SealedList, SourceReading
from shared.raffles.errors import NoteMissing
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, source_readings, winners
from shared.raffles.services.draws.draw_rules import DEFAULT_SOURCE, ChosenRules
from tests.cases import walk_cases
from tests.integration.raffles import draw_steps
from tests.integration.raffles.draw_steps import (
    DRAW_AT,
    DRUM,
    LOTTERY,
    OMAR,
    RITA,
    TOKEN,
    WEEK,
    choose_lottery,
    create_sealed_raffle,
    draw,
    enter,
    enter_stub,
    list_numbers,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.same_everywhere]

VALUE = "ab" * 32
DAY = timedelta(days=1)


def void(
    reading: SourceReading, reason: VoidReason = VoidReason.MISREAD, *, by: Actor = RITA
) -> SourceReading:
    """Declare values void."""
    return source_readings.void_reading(
        reading.pk, reason=reason, comment=f"said {by.label}", by=by, now=DRAW_AT
    )


def skip(raffle: Raffle, *, by: Actor = RITA, now: datetime = DRAW_AT) -> SourceReading:
    """Skip the date of the first source."""
    return source_readings.skip_date(raffle.pk, position=1, comment="closed today", by=by, now=now)


def confirm(reading: SourceReading, *, by: Actor = OMAR) -> SourceReading:
    """Confirm values."""
    return source_readings.confirm_reading(reading.pk, by=by, now=DRAW_AT)


def get_state(raffle: Raffle, position: int = 1) -> source_readings.SourceState:
    """Return the state of a source."""
    raffle.refresh_from_db()
    states = source_readings.load_source_states(raffle, SealedList.objects.get(raffle=raffle))
    return states[position - 1]


def list_actions(raffle: Raffle) -> list[str]:
    """Return what happened to the raffle since its rules were frozen."""
    return list(raffle.events.values_list("action", flat=True))[1:]


def test_values_are_entered_once_in_time_with_evidence() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=[1, 2, 3])
    with pytest.raises(draw_errors.ValueNotDue):
        enter(raffle, VALUE, now=DRAW_AT - timedelta(seconds=1))
    with pytest.raises(draw_errors.ValueNotFound):
        enter(raffle, VALUE, position=2)
    with pytest.raises(draw_errors.EvidenceMissing):
        enter(raffle, VALUE, link=" ")
    for link in ("javascript:alert(1)", "ftp://example.com", "https://a.example/" + "x" * 500):
        with pytest.raises(draw_errors.LinkInvalid):
            enter(raffle, VALUE, link=link)
    with pytest.raises(draw_errors.ValueInvalid):
        enter(raffle, VALUE[:-1])
    with pytest.raises(draw_errors.ValueInvalid):
        enter(raffle, VALUE, VALUE)

    reading = enter(raffle, f" {VALUE.upper()}\n", " ", photo=ContentFile(b"...", "tv.jpg"))

    assert (reading.values, reading.link, reading.counts) == ([VALUE], "", True)
    assert str(reading.photo.name).startswith("draws/tv")
    assert confirm(reading, by=RITA).confirmed_by == "rita"  # one person draws: it counted before
    with pytest.raises(draw_errors.ValueExists):
        enter(raffle, VALUE)
    with pytest.raises(draw_errors.ValueExists):
        skip(raffle)
    assert list_actions(raffle) == [RaffleAction.VALUE_ENTERED]


def test_huge_and_odd_numbers_are_refused_with_a_sentence() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[1])
    for value in ("9" * 5_000, "0" * 5_000, "-1", "１２", "1 2", "10000", "²"):
        with pytest.raises(draw_errors.ValueInvalid) as refused:
            enter(raffle, value)
        assert refused.value.details["problem"].endswith(".")
    assert enter(raffle, "0001").values == ["0001"]


@walk_cases(
    ("first", "second", "refused"),
    [
        (RITA, RITA, True),
        (RITA, TOKEN, True),
        (TOKEN, TOKEN, True),
        (TOKEN, RITA, True),  # it is Rita's token
        (TOKEN, OMAR, False),
        (RITA, OMAR, False),
    ],
)
def test_of_two_people_the_second_is_another_one_and_no_token(
    first: Actor, second: Actor, refused: bool
) -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=[1, 2, 3], two_people=True)
    reading = enter(raffle, VALUE, by=first)
    assert not reading.counts
    with pytest.raises(draw_errors.InputsMissing):
        draw(raffle)

    if refused:
        with pytest.raises(draw_errors.SecondPersonNeeded):
            confirm(reading, by=second)
        with pytest.raises(draw_errors.InputsMissing):
            draw(raffle)
    else:
        confirm(reading, by=second)
        assert len(draw(raffle).results) == 1


def test_misread_values_are_entered_again_and_what_was_drawn_is_drawn_anew() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=range(50))
    wrong = enter(raffle, VALUE)
    former = draw(raffle).results[0]
    with pytest.raises(draw_errors.PersonNeeded):
        void(wrong, by=TOKEN)
    with pytest.raises(NoteMissing):
        source_readings.void_reading(
            wrong.pk, reason=VoidReason.MISREAD, comment=" ", by=RITA, now=DRAW_AT
        )

    void(wrong)

    for refused in (
        lambda: winners.confirm_winner(former.pk, by=RITA, now=DRAW_AT),
        lambda: winners.claim_prize(former.pk, note="", by=RITA, now=DRAW_AT),
        lambda: drawing.redraw(
            former.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT
        ),
    ):
        with pytest.raises(draw_errors.ResultVoid):
            refused()
    with pytest.raises(draw_errors.ValueVoided):
        void(wrong)
    with pytest.raises(draw_errors.ValueVoided):
        confirm(wrong)
    with pytest.raises(draw_errors.InputsMissing):
        draw(raffle)
    state = get_state(raffle)
    assert (state.date_index, state.reading, list(state.earlier)) == (0, None, [wrong])
    enter(raffle, "cd" * 32)
    again = draw(raffle).results[0]
    assert (again.attempt, again.inputs, again.selection) == (2, 1, 0)
    assert (again.reason, again.comment) == (RedrawReason.SOURCE_VOID, "said rita")
    assert again.how["key_string"] == "cd" * 32 + "./"
    assert list_actions(raffle)[-2:] == [RaffleAction.VALUE_ENTERED, RaffleAction.REDRAWN]


def test_a_void_source_leaves_the_decision_to_its_next_date_and_others_stay() -> None:
    rules = ChosenRules(sources=[DEFAULT_SOURCE, LOTTERY])
    raffle = create_sealed_raffle(rules, sold=range(50))
    enter(raffle, VALUE)
    void_one = void(enter(raffle, "0042", position=2), VoidReason.SOURCE_VOID)
    state = get_state(raffle, 2)
    assert (state.date_index, state.at, state.reading) == (1, DRAW_AT + WEEK, None)
    with pytest.raises(draw_errors.ValueNotDue):
        enter(raffle, "0007", position=2)
    enter(raffle, "0007", position=2, now=DRAW_AT + WEEK)

    first = draw(raffle, now=DRAW_AT + WEEK).results[0]

    assert first.how["key_string"] == f"{VALUE}./7./"
    assert (first.inputs, void_one.void_of_draw) == (0, False)
    later = get_state(raffle, 2).reading
    assert later is not None
    void(later, VoidReason.SOURCE_VOID)
    enter(raffle, "0099", position=2, now=DRAW_AT + 2 * WEEK)
    again = draw(raffle, now=DRAW_AT + 2 * WEEK).results[0]
    assert again.how["key_string"] == f"{VALUE}./99./"


def test_a_date_without_values_is_skipped_and_that_is_shown() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=[1, 2])
    with pytest.raises(draw_errors.PersonNeeded):
        skip(raffle, by=TOKEN)
    skipped = skip(raffle)
    state = get_state(raffle)
    assert (skipped.values, skipped.void_reason) == ([], VoidReason.SOURCE_VOID)
    assert (state.date_index, state.at, list(state.earlier)) == (1, DRAW_AT + DAY, [skipped])
    assert list_actions(raffle) == [RaffleAction.VALUE_VOIDED]


def test_of_two_people_none_alone_declares_confirmed_values_void() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=range(50), two_people=True)
    reading = confirm(enter(raffle, VALUE))
    shown = draw_steps.load_inputs(raffle).fingerprint

    proposed = void(reading)

    assert (proposed.is_void_proposed, proposed.counts) == (True, True)
    with pytest.raises(draw_errors.InputsChanged):  # who draws has seen the proposal
        drawing.draw(raffle.pk, fingerprint=shown, by=RITA, now=DRAW_AT)
    with pytest.raises(draw_errors.SecondPersonNeeded):
        void(reading)
    assert void(reading, VoidReason.SOURCE_VOID, by=OMAR).counts  # he says something else
    assert void(reading, by=RITA).counts  # and she again
    former = draw(raffle).results[0]
    voided = void(reading, by=OMAR)
    assert (voided.counts, voided.void_of_draw, voided.voided_by) == (False, True, "omar")
    assert voided.void_comment == "said rita\nsaid omar"
    with pytest.raises(draw_errors.ResultVoid):
        winners.confirm_winner(former.pk, by=RITA, now=DRAW_AT)
    fresh = enter(raffle, "cd" * 32)
    with pytest.raises(draw_errors.InputsMissing):
        draw(raffle)
    confirm(fresh)
    assert draw(raffle).results[0].attempt == 2
    assert list_actions(raffle) == [
        RaffleAction.VALUE_ENTERED,
        RaffleAction.VALUE_CONFIRMED,
        *[RaffleAction.VOID_PROPOSED] * 3,
        RaffleAction.DRAWN,
        RaffleAction.VALUE_VOIDED,
        RaffleAction.VALUE_ENTERED,
        RaffleAction.VALUE_CONFIRMED,
        RaffleAction.REDRAWN,
    ]


def test_of_two_people_one_alone_corrects_what_nobody_has_confirmed() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=range(50), two_people=True)
    typo = enter(raffle, VALUE)
    assert void(typo, VoidReason.SOURCE_VOID).is_void_proposed  # that would skip the date
    assert void(typo, VoidReason.MISREAD).voided_at is not None
    state = get_state(raffle)
    assert (state.date_index, state.reading) == (0, None)
    confirm(enter(raffle, "cd" * 32))
    assert draw(raffle).results[0].how["key_string"] == "cd" * 32 + "./"


def test_of_two_people_none_alone_skips_a_date() -> None:
    raffle = create_sealed_raffle(ChosenRules(), sold=range(50), two_people=True)
    wished = skip(raffle)
    assert wished.is_void_proposed
    assert (get_state(raffle).date_index, get_state(raffle).is_ready) == (0, False)
    with pytest.raises(draw_errors.SecondPersonNeeded):
        skip(raffle)
    with pytest.raises(draw_errors.SecondPersonNeeded):
        confirm(wished, by=RITA)
    with pytest.raises(draw_errors.PersonNeeded):
        confirm(wished, by=TOKEN)
    entered = enter(raffle, VALUE, by=TOKEN)  # the source has spoken after all
    assert get_state(raffle).reading == entered
    void(entered, VoidReason.MISREAD, by=OMAR)

    skip(raffle)
    skip(raffle, by=OMAR)
    assert get_state(raffle).date_index == 1
    confirm(skip(raffle, now=DRAW_AT + DAY))
    assert get_state(raffle).date_index == 2


def test_no_values_are_void_once_a_prize_was_claimed() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[7])
    draw_steps.create_paid_order(raffle, 7)
    reading = enter(raffle, "0007")
    result = draw(raffle).results[0]
    winners.confirm_winner(result.pk, by=RITA, now=DRAW_AT)
    winners.claim_prize(result.pk, note="", by=RITA, now=DRAW_AT)

    for refused in (
        lambda: void(reading),
        lambda: drawing.redraw(
            result.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT
        ),
    ):
        with pytest.raises(draw_errors.PrizeClaimed):
            refused()
    assert list_numbers(raffle) == [7]


def test_a_stub_is_sold_drawn_once_and_can_have_been_typed_wrong() -> None:
    rules = dataclasses.replace(DRUM, prizes=["a car", "a bicycle"])
    raffle = create_sealed_raffle(rules, sold=[5, 7, 9, 11])
    for number in (6, -5, 10**30):
        with pytest.raises(draw_errors.StubNotSold):
            enter_stub(raffle, number)
    with pytest.raises(draw_errors.ValueNotFound):
        enter_stub(raffle, 5, prize=3)
    wrong = enter_stub(raffle, 5)
    with pytest.raises(draw_errors.ValueExists):
        enter_stub(raffle, 7)
    with pytest.raises(draw_errors.StubNotSold):
        enter_stub(raffle, 5, prize=2)
    with pytest.raises(draw_errors.InputsMissing):
        draw(raffle)
    enter_stub(raffle, 7, prize=2)
    assert [result.number for result in draw(raffle).results] == [5, 7]

    void(wrong)
    enter_stub(raffle, 9)
    again = draw(raffle)
    assert [(result.prize.position, result.number) for result in again.results] == [(1, 9)]
    assert (again.results[0].attempt, again.results[0].reason) == (2, RedrawReason.SOURCE_VOID)
    second = draw_steps.get_latest_result(raffle, prize=2)
    with pytest.raises(draw_errors.InputsMissing):
        drawing.redraw(second.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT)
    enter_stub(raffle, 5, prize=2)  # it never left the drum
    redrawn = drawing.redraw(
        second.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT
    )
    assert (redrawn.number, redrawn.attempt) == (5, 2)
    assert list_numbers(raffle) == [9, 5]
