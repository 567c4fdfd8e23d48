"""Tests of winners: confirmed by a person, with the order that won and the time to claim."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from shared.core.enums import RedrawReason
from shared.raffles.draws import draw_errors
from shared.raffles.draws.draw_models import SealedList
from shared.raffles.errors import NoteTooLong
from shared.raffles.models import Raffle
from shared.raffles.services import ledger_entries, lifecycle, locks
from shared.raffles.services.draws import drawing, sealed_lists, source_readings, winners
from shared.raffles.services.payment_decisions import reversals
from tests.builders import NOON, create_contact, create_raffle
from tests.integration.raffles.draw_steps import (
    DRAW_AT,
    OMAR,
    RITA,
    TOKEN,
    choose_lottery,
    create_paid_order,
    create_sealed_raffle,
    draw,
    enter,
    get_latest_result,
    list_numbers,
    sell,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.same_everywhere]


def test_a_winner_is_confirmed_by_a_person_before_the_prize_is_claimed() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[7, 9])
    buyer = create_contact(profile_name="Ana López", wa_id="573001234567")
    create_paid_order(raffle, 7, contact=buyer)
    enter(raffle, "0007")
    result = draw(raffle, by=TOKEN).results[0]
    with pytest.raises(draw_errors.PrizeNotFound):
        winners.confirm_winner(result.pk + 1, by=RITA, now=DRAW_AT)
    with pytest.raises(draw_errors.WinnerNotConfirmed):
        winners.claim_prize(result.pk, note="", by=RITA, now=DRAW_AT)
    with pytest.raises(draw_errors.PersonNeeded):
        winners.confirm_winner(result.pk, by=TOKEN, now=DRAW_AT)
    with pytest.raises(draw_errors.PersonNeeded):
        drawing.redraw(result.pk, reason=RedrawReason.DECLINED, comment="no", by=TOKEN, now=DRAW_AT)

    claim = winners.confirm_winner(result.pk, by=RITA, now=DRAW_AT)

    assert (claim.winner_name, claim.winner_phone) == ("Ana López", "573001234567")
    assert winners.confirm_winner(result.pk, by=OMAR, now=DRAW_AT).confirmed_by == "rita"
    winners.set_name_consent(claim, consent=True)
    (winner,) = winners.load_winners(raffle)
    assert winner.claim is not None
    assert winners.format_public_name(winner.claim, ticket="07") == "Ana …67"
    with pytest.raises(NoteTooLong):
        winners.claim_prize(result.pk, note="x" * 501, by=RITA, now=DRAW_AT)
    winners.claim_prize(result.pk, note="by hand", by=RITA, now=DRAW_AT)
    again = winners.claim_prize(result.pk, note="twice", by=OMAR, now=DRAW_AT)
    assert (again.claimed_by, again.note) == ("rita", "by hand")


def test_a_buyer_without_a_name_is_kept_without_one() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[7])
    buyer = create_contact(profile_name="", wa_id="573001234567")
    create_paid_order(raffle, 7, contact=buyer)
    enter(raffle, "0007")
    result = draw(raffle).results[0]

    claim = winners.confirm_winner(result.pk, by=RITA, now=DRAW_AT)

    assert (claim.winner_name, claim.winner_phone) == ("", "573001234567")


def test_the_time_to_claim_ends_with_a_day_of_the_raffle() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[7, 9])
    create_paid_order(raffle, 7)
    create_paid_order(raffle, 9)
    raffle.time_zone = "America/Bogota"
    Raffle.objects.filter(pk=raffle.pk).update(time_zone=raffle.time_zone)
    night = datetime(2026, 11, 23, 4, 59, tzinfo=UTC)  # the 22nd in Bogota
    enter(raffle, "0007", now=night)
    draw(raffle, now=night)
    (winner,) = winners.load_winners(raffle)
    last_second = datetime(2026, 12, 23, 4, 59, 59, tzinfo=UTC)

    assert winner.claim_until == last_second
    assert f"{winner.claim_until:%Y-%m-%d %H:%M}" == "2026-12-22 23:59"
    for reason in (RedrawReason.UNCLAIMED, RedrawReason.UNREACHABLE):
        with pytest.raises(draw_errors.RedrawTooEarly) as early:
            drawing.redraw(
                winner.result.pk, reason=reason, comment="silent", by=RITA, now=last_second
            )
        assert early.value.details["until"] == last_second
    again = drawing.redraw(
        winner.result.pk,
        reason=RedrawReason.UNCLAIMED,
        comment="silent",
        by=RITA,
        now=last_second + timedelta(seconds=1),
    )
    assert again.number == 9
    assert winners.load_winners(raffle)[0].claim_until == last_second + timedelta(days=31)


def test_of_two_people_none_goes_down_the_list_alone() -> None:
    raffle = create_sealed_raffle(choose_lottery(), sold=[5, 7, 9], two_people=True)
    reading = enter(raffle, "0005", by=TOKEN)
    source_readings.confirm_reading(reading.pk, by=OMAR, now=DRAW_AT)
    draw(raffle, by=RITA)
    for by, number in ((OMAR, 7), (RITA, 9)):
        latest = get_latest_result(raffle)
        other = RITA if by is OMAR else OMAR
        with pytest.raises(draw_errors.AnotherPersonNeeded):
            drawing.redraw(
                latest.pk, reason=RedrawReason.DECLINED, comment="no", by=other, now=DRAW_AT
            )
        drawing.redraw(latest.pk, reason=RedrawReason.DECLINED, comment="no", by=by, now=DRAW_AT)
        assert list_numbers(raffle) == [number]


def test_a_number_whose_money_went_back_stays_on_the_list_and_says_so() -> None:
    raffle = create_raffle(numbers=10, draw_at=DRAW_AT)
    order = sell(raffle, 7)
    lifecycle.close(raffle.pk, by=RITA, now=NOON)
    sealed_lists.seal(raffle.pk, two_people=False, by=RITA, now=NOON)
    with transaction.atomic():
        locked = locks.lock_order_with_contacts(order.pk)
        confirmation = ledger_entries.load_confirmation(locked)
        reversals.refund_order(
            locked, confirmation_id=confirmation.pk, note="he asked for it", by=RITA, now=NOON
        )
    enter(raffle, "ab" * 32)
    draw(raffle)

    (winner,) = winners.load_winners(Raffle.objects.get(pk=raffle.pk))

    assert (winner.order, winner.refunded, winner.void) == (order, True, False)
    assert bytes(SealedList.objects.get(raffle=raffle).numbers) == b"07\n"
    with pytest.raises(draw_errors.PoolExhausted):
        drawing.redraw(
            winner.result.pk,
            reason=RedrawReason.INELIGIBLE,
            comment="got the money back",
            by=RITA,
            now=DRAW_AT,
        )
