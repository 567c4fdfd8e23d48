"""Draws through the services, with results computed by hand from RFC 3797."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.enums import OrderStatus, RaffleStatus, RedrawReason
from shared.core.errors import DomainError
from shared.raffles.draws import draw_errors
from shared.raffles.draws.draw_models import DrawResult, SealedList
from shared.raffles.errors import OrdersUnsettled
from shared.raffles.models import Order
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import draw_rules, drawing, sealed_lists, winners
from shared.raffles.services.draws.draw_rules import ChosenRules
from tests.builders import NOON, create_order_row, create_raffle
from tests.cases import roll_back
from tests.integration.concurrency import run_at_once
from tests.integration.raffles.draw_steps import (
    DRAW_AT,
    RITA,
    create_sealed_raffle,
    draw,
    enter,
    get_latest_result,
    load_inputs,
    replace_row,
    sell,
)

pytestmark = pytest.mark.django_db(transaction=True)

VALUE = "ab" * 32
THREE_PRIZES = ChosenRules(prizes=["a motorbike", "a helmet", "a pair of gloves"])


def select_by_hand(pool: Sequence[int], *, value: str, times: int) -> list[int]:
    """Return the first selections of RFC 3797 from a pool and a round of drand."""
    left, selected = sorted(pool), []
    for selection in range(times):
        mark = bytes([0, selection])
        digest = hashlib.md5(mark + f"{value}./".encode() + mark).hexdigest()
        selected.append(left.pop(int(digest, 16) % len(left)))
    return selected


def test_a_raffle_is_sold_sealed_drawn_redrawn_and_claimed() -> None:
    raffle = create_raffle(numbers=20, draw_at=DRAW_AT)
    rules = ChosenRules(prizes=["a motorbike", "a helmet"])
    draw_rules.save_rules(raffle.pk, rules, by=RITA, now=NOON)
    for number in range(1, 11):
        sell(raffle, number)
    lifecycle.close(raffle.pk, by=RITA, now=NOON)
    with pytest.raises(draw_errors.RaffleNotSealed):
        enter(raffle, VALUE)
    sealed = sealed_lists.seal(raffle.pk, two_people=False, by=RITA, now=NOON)
    assert bytes(sealed.numbers) == b"01\n02\n03\n04\n05\n06\n07\n08\n09\n10\n"
    assert sealed.sha256 == hashlib.sha256(bytes(sealed.numbers)).hexdigest()
    enter(raffle, VALUE)

    drawn = draw(raffle)

    first, second, third = select_by_hand(range(1, 11), value=VALUE, times=3)
    assert [(result.prize.title, result.number) for result in drawn.results] == [
        ("a motorbike", first),
        ("a helmet", second),
    ]
    assert draw(raffle).repeated
    raffle.refresh_from_db()
    assert raffle.status == RaffleStatus.DRAWN
    other = DrawResult.objects.get(pk=drawn.results[0].pk)
    other.pk, other.number = other.pk + 9, third
    row = DrawResult.objects.filter(pk=drawn.results[0].pk)
    for change in (row.delete, partial(row.update, number=third), partial(replace_row, other)):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            change()
    late = DRAW_AT + timedelta(days=31)
    again = drawing.redraw(
        drawn.results[0].pk, reason=RedrawReason.UNCLAIMED, comment="silent", by=RITA, now=late
    )
    assert (again.number, again.attempt, again.selection) == (third, 2, 2)
    with pytest.raises(draw_errors.ResultReplaced):
        winners.confirm_winner(drawn.results[0].pk, by=RITA, now=late)
    claim = winners.confirm_winner(again.pk, by=RITA, now=late)
    assert claim.winner_name == "Bo Li"
    winners.claim_prize(again.pk, note="handed over", by=RITA, now=late)
    with pytest.raises(draw_errors.PrizeClaimed):
        drawing.redraw(again.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=late)
    assert [(each.result.number, each.claim == claim) for each in winners.load_winners(raffle)] == [
        (third, True),
        (second, False),
    ]


def test_two_people_pressing_at_once_draw_once() -> None:
    raffle = create_sealed_raffle(THREE_PRIZES, sold=range(50))
    enter(raffle, VALUE)
    shown = load_inputs(raffle).fingerprint

    press = partial(drawing.draw, raffle.pk, fingerprint=shown, by=RITA, now=DRAW_AT)
    outcomes = run_at_once([press] * 4)

    assert sorted(drawn.repeated for drawn in outcomes) == [False, True, True, True]
    expected = select_by_hand(range(50), value=VALUE, times=3)
    assert all([each.number for each in drawn.results] == expected for drawn in outcomes)
    assert DrawResult.objects.filter(raffle=raffle).count() == 3


def test_two_people_drawing_a_prize_again_at_once_draw_it_once() -> None:
    raffle = create_sealed_raffle(THREE_PRIZES, sold=range(50))
    enter(raffle, VALUE)
    latest = draw(raffle).results[0]

    def press() -> int | None:
        try:
            return drawing.redraw(
                latest.pk, reason=RedrawReason.DECLINED, comment="no", by=RITA, now=DRAW_AT
            ).number
        except draw_errors.ResultReplaced:
            return None

    outcomes = run_at_once([press] * 3)

    fourth = select_by_hand(range(50), value=VALUE, times=4)[-1]
    assert sorted(outcomes, key=str) == [fourth, None, None]


REASONS = (RedrawReason.DECLINED, RedrawReason.INELIGIBLE, RedrawReason.UNCLAIMED)


@pytest.mark.same_everywhere
def test_a_redraw_never_chooses_whoever_presses_whenever_for_whatever_reason() -> None:
    @settings(max_examples=8)
    @given(
        sold=st.sets(st.integers(0, 99), min_size=3, max_size=8),
        value=st.text("0123456789abcdef", min_size=64, max_size=64),
        steps=st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(REASONS), st.integers(0, 400), st.text()),
            max_size=6,
        ),
    )
    @roll_back
    def play(sold: set[int], value: str, steps: list[tuple[int, RedrawReason, int, str]]) -> None:
        raffle = create_sealed_raffle(THREE_PRIZES, sold=sorted(sold))
        enter(raffle, value)
        draw(raffle)
        for prize, reason, days, comment in steps:
            with pytest.raises(draw_errors.ValueExists):
                enter(raffle, "cd" * 32, now=DRAW_AT + timedelta(days=days))
            try:
                drawing.redraw(
                    get_latest_result(raffle, prize=prize).pk,
                    reason=reason,
                    comment=comment,
                    by=RITA,
                    now=DRAW_AT + timedelta(days=days),
                )
            except DomainError:
                continue
        drawn = list(DrawResult.objects.filter(raffle=raffle).values_list("number", flat=True))
        assert drawn == select_by_hand(sorted(sold), value=value, times=len(drawn))
        assert len({*drawn}) == len(drawn) <= len(sold)

    play()


@pytest.mark.same_everywhere
def test_nothing_is_drawn_while_any_order_is_open() -> None:
    unpaid = sorted(set(OrderStatus) - {OrderStatus.PAID})

    @settings(max_examples=8)
    @given(st.lists(st.tuples(st.sampled_from(unpaid), st.booleans()), max_size=3))
    @roll_back
    def play(others: list[tuple[OrderStatus, bool]]) -> None:
        raffle = create_raffle(numbers=10, draw_at=DRAW_AT)
        sell(raffle, 10)
        for status, undecided in others:
            create_order_row(
                raffle, status=status, needs_decision=undecided and status not in Order.LIVE
            )
        lifecycle.close(raffle.pk, by=RITA, now=NOON)
        is_open = any(undecided or status in Order.LIVE for status, undecided in others)
        try:
            sealed_lists.seal(raffle.pk, two_people=False, by=RITA, now=NOON)
        except (OrdersUnsettled, draw_errors.DecisionsOpen):
            assert is_open
            with pytest.raises(draw_errors.RaffleNotSealed):
                enter(raffle, VALUE)
            with pytest.raises(draw_errors.RaffleNotSealed):
                drawing.draw(raffle.pk, fingerprint="", by=RITA, now=DRAW_AT)
            assert not SealedList.objects.filter(raffle=raffle).exists()
        else:
            assert not is_open
            enter(raffle, VALUE)
            assert [result.number for result in draw(raffle).results] == [10]

    play()
