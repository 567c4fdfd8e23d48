"""Records of draws that went through the services: what is public, and how long it stays."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import transaction

from shared.core.enums import (
    ActorKind,
    DrawMethod,
    RedrawReason,
    SourceKind,
    UnsoldRule,
    VoidReason,
)
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import RaffleNotSealed
from shared.raffles.draws.draw_models import PrizeClaim, SealedList, SourceReading
from shared.raffles.models import LedgerEntry, Order, Raffle
from shared.raffles.services import lifecycle, orders, reservations
from shared.raffles.services.draws import (
    draw_rules,
    drawing,
    sealed_lists,
    source_readings,
    winners,
)
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.raffles.services.draws.records import public_record, verify, winners_file
from shared.raffles.services.payment_decisions import payments
from shared.raffles.services.retention.erasable_orders import list_ended_raffles
from shared.use_cases import retention, reversals
from shared.use_cases.contacts import buyer_erasure, buyer_export, buyers
from shared.use_cases.contacts.buyers import Buyer
from shared.use_cases.errors import BuyerInUndrawnRaffle
from tests.builders import NOON, build_staff_actor, create_contact, create_raffle
from tests.draw_auditor import audit_record

pytestmark = pytest.mark.django_db(transaction=True)

RITA = build_staff_actor()
OMAR = Actor(ActorKind.STAFF, id="8", label="omar")
DRAW_AT = NOON + timedelta(hours=8)
LATER = DRAW_AT + timedelta(days=20)
PHOTO = b"\x89PNG zebra"
SECRETS = ("Quetzalina", "15550107777", "rita", "omar", "handed to her")
"""What no public file may hold: a winner without consent, and members of staff."""


def sell(raffle: Raffle, *numbers: int, contact_id: int | None = None) -> Order:
    with transaction.atomic():
        held = reservations.hold_chosen_or_random(
            raffle, contact_id=contact_id, numbers=numbers, quantity=0, pivot=0, by=RITA, now=NOON
        )
        order = orders.place(held, at=NOON, now=NOON, by=RITA, changes={"buyer_name": "Bo Li"})
        payments.sell_order(order, by=RITA, now=NOON, late=False)
    return order


def seal(raffle: Raffle, *, two_people: bool) -> None:
    lifecycle.close(raffle.pk, by=RITA, now=NOON)
    sealed_lists.seal(raffle.pk, two_people=two_people, by=RITA, now=NOON)


def draw(raffle: Raffle) -> None:
    raffle.refresh_from_db()
    inputs = drawing.load_inputs(raffle, SealedList.objects.get(raffle=raffle))
    drawing.draw(raffle.pk, fingerprint=inputs.fingerprint, by=RITA, now=LATER)


def redraw(raffle: Raffle, *, prize: int) -> None:
    latest = {result.prize.position: result for result in drawing.load_latest_results(raffle.pk)}
    drawing.redraw(
        latest[prize].pk, reason=RedrawReason.DECLINED, comment="wants none", by=OMAR, now=LATER
    )


def unpack(record: IO[bytes]) -> dict[str, bytes]:
    with record, zipfile.ZipFile(record) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_record(raffle: Raffle) -> Mapping[str, bytes]:
    """Build the public record, verify it in both ways, and return its files."""
    files = unpack(public_record.build_public_record(raffle))
    report = verify.verify_files(files)
    assert report.problems == []
    drawn = [
        (result.prize.position, result.attempt, raffle.format_ticket_number(result.number))
        for result in raffle.draw_results.select_related("prize").order_by("id")
    ]
    assert audit_record(files) == drawn
    return files


def test_a_raffle_has_a_record_that_anyone_can_verify(tmp_path: Path) -> None:
    raffle = create_raffle(numbers=20, draw_at=DRAW_AT, promoter="Club", permit_number="P-7")
    chosen = ChosenRules(prizes=["a motorbike", "a helmet"], minimum_sold=2)
    draw_rules.save_rules(raffle.pk, chosen, by=RITA, now=NOON)
    contact = create_contact(wa_id="15550107777", profile_name="Quetzalina Díaz")
    for number in range(1, 13):
        order = sell(raffle, number, contact_id=contact.pk)
    with pytest.raises(RaffleNotSealed):
        public_record.build_public_record(raffle)
    seal(raffle, two_people=True)
    assert b"not drawn yet" in check_record(raffle)["results.html"]
    first = source_readings.enter_values(
        raffle.pk, position=1, values=["ab" * 32], by=RITA, now=LATER, photo=as_photo()
    )
    void(first, VoidReason.MISREAD, comment="a digit was wrong", by=[RITA])
    second = enter(raffle, 1, "cd" * 32)
    draw(raffle)
    void(second, VoidReason.SOURCE_VOID, comment="drand said so")
    enter(raffle, 1, "ef" * 32)
    draw(raffle)
    redraw(raffle, prize=2)
    won = {winner.result.prize.position: winner.result for winner in winners.load_winners(raffle)}
    claim = winners.confirm_winner(won[1].pk, by=RITA, now=LATER)
    winners.claim_prize(won[1].pk, note="handed to her", by=RITA, now=LATER)
    loser = next(one for one in Order.objects.filter(raffle=raffle) if not one.claims.exists())
    confirmed = LedgerEntry.objects.get(order=loser).confirmation_id or 0
    reversals.refund_order(
        loser.pk, confirmation_id=confirmed, note="moved away", by=RITA, now=LATER
    )

    files = check_record(raffle)
    assert list(files)[:3] == ["draw.json", "list.txt", "chain.txt"]
    assert files == unpack(public_record.build_public_record(raffle)), "the same bytes"
    for name, content in files.items():
        for secret in SECRETS:
            assert secret.encode() not in content, (name, secret)
    page = files["results.html"].decode()
    ticket = raffle.format_ticket_number(won[1].number)
    assert f"the holder of {ticket} · " in page
    assert "a digit was wrong" in page
    assert "wants none" in page
    winners.set_name_consent(claim, consent=True)
    assert "Quetzalina …77" in check_record(raffle)["results.html"].decode()
    counts = json.loads(files["summary.json"])
    assert (counts["tickets_printed"], counts["tickets_sold"]) == (20, 12)
    assert (counts["money_in"], counts["money_back"]) == ("60.00", "5.00")
    assert counts["refunds_after_sealing"][0]["entry"] == loser.receipt_entry
    assert [prize["claimed_at"] is not None for prize in counts["prizes"]] == [True, False]

    private = unpack(winners_file.build_winners_file(raffle))
    (winner,) = json.loads(private["winners.json"])["winners"]
    assert (winner["name"], winner["phone"]) == ("Quetzalina Díaz", "15550107777")
    assert private["photos/reading-1.png"] == PHOTO
    assert "rita" in private["history.json"].decode()

    target, out = tmp_path / "record.zip", io.StringIO()
    call_command("export_draw", raffle.pk, target, stdout=out)
    call_command("export_draw", raffle.pk, tmp_path / "own.zip", "--winners", stdout=out)
    with pytest.raises(CommandError, match="exists"):
        call_command("export_draw", raffle.pk, target, stdout=out)
    head = order.receipt_head or ""
    call_command("verify_draw", target, "--receipt", "12", head[:4], head[4:], stdout=out)
    assert "The record holds." in out.getvalue()
    assert "are on the sealed list: 12" in out.getvalue()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_draw", target, "--receipt", "11", head, stdout=out)
    with pytest.raises(CommandError) as refused:
        call_command("verify_draw", tmp_path / "own.zip", stdout=out)
    assert refused.value.returncode in {1, 2}


def may_still_win(buyer: Buyer) -> bool:
    refusals = buyer_erasure.plan_erasure(buyer, now=LATER).refusals
    return any(isinstance(refusal, BuyerInUndrawnRaffle) for refusal in refusals)


def enter(raffle: Raffle, position: int, value: str) -> SourceReading:
    return confirm(
        source_readings.enter_values(
            raffle.pk,
            position=position,
            values=[value],
            link="https://example.com/result",
            by=RITA,
            now=LATER,
        )
    )


def confirm(reading: SourceReading) -> SourceReading:
    return source_readings.confirm_reading(reading.pk, by=OMAR, now=reading.entered_at)


def void(
    reading: SourceReading, reason: VoidReason, *, comment: str, by: Sequence[Actor] = (RITA, OMAR)
) -> None:
    for actor in by:
        source_readings.void_reading(
            reading.pk, reason=reason, comment=comment, by=actor, now=LATER
        )


def as_photo() -> "ContentFile[bytes]":
    return ContentFile(PHOTO, name="stub.png")


def test_records_of_lottery_and_drum_verify_as_well() -> None:
    lotteries = [
        ChosenSource(
            SourceKind.LOTTERY, name=f"Lotería {place}", at=DRAW_AT, repeat_days=7, highest=9_999
        )
        for place in (1, 2)
    ]
    for rule in UnsoldRule:
        raffle = create_raffle(numbers=100, first_number=0, draw_at=DRAW_AT)
        draw_rules.save_rules(
            raffle.pk,
            ChosenRules(
                method=DrawMethod.LOTTERY_DIGITS,
                sources=lotteries,
                prizes=["a motorbike", "a helmet"],
                unsold_rule=rule,
                minimum_sold=2,
            ),
            by=RITA,
            now=NOON,
        )
        sell(raffle, 3, 7, 50, 98)
        seal(raffle, two_people=True)
        enter(raffle, 1, "4207")
        second = enter(raffle, 2, "1199")
        if rule == UnsoldRule.NEXT_SOURCE_DATE:
            second = enter(raffle, 2, "1150")
        draw(raffle)
        redraw(raffle, prize=1)
        void(second, VoidReason.MISREAD, comment="misread")
        enter(raffle, 2, "0098")
        draw(raffle)
        check_record(raffle)

    raffle = create_raffle(numbers=9, draw_at=DRAW_AT)
    drum = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=(), prizes=["a hat"])
    draw_rules.save_rules(raffle.pk, drum, by=RITA, now=NOON)
    sell(raffle, 2, 5, 7)
    seal(raffle, two_people=True)

    def enter_stub(number: int) -> SourceReading:
        stub = source_readings.enter_stub(
            raffle.pk, prize_position=1, number=number, photo=as_photo(), by=RITA, now=LATER
        )
        return confirm(stub)

    enter_stub(5)
    draw(raffle)
    wrong = enter_stub(2)
    redraw(raffle, prize=1)
    void(wrong, VoidReason.MISREAD, comment="it was a 7")
    enter_stub(7)
    draw(raffle)
    document = json.loads(check_record(raffle)["draw.json"])
    assert document["sources"] == []
    assert len(document["stubs"][0]["photo_sha256"]) == 64


def test_winners_stay_named_for_years_and_are_told_so() -> None:
    raffle = create_raffle(numbers=5, draw_at=DRAW_AT)
    contact = create_contact(wa_id="15550107777", profile_name="Quetzalina Díaz")
    order = sell(raffle, 1, contact_id=contact.pk)
    seal(raffle, two_people=False)
    source_readings.enter_values(
        raffle.pk,
        position=1,
        values=["ab" * 32],
        link="https://example.com/result",
        by=RITA,
        now=LATER,
    )
    buyer = buyers.find_buyer("15550107777")
    assert may_still_win(buyer), "the draw's time has come, and nothing is drawn yet"
    draw(raffle)
    assert may_still_win(buyer), "the prize may be drawn again"
    assert not list_ended_raffles(before=LATER + timedelta(days=30))
    assert list_ended_raffles(before=LATER + timedelta(days=32)) == [raffle.pk]
    (winner,) = winners.load_winners(raffle)
    winners.confirm_winner(winner.result.pk, by=RITA, now=LATER)
    winners.claim_prize(winner.result.pk, note="handed to her", by=RITA, now=LATER)

    assert not may_still_win(buyer)
    exported = io.BytesIO()
    buyer_export.write_buyer_archive(buyer, exported, now=LATER)
    with zipfile.ZipFile(exported) as archive:
        (prize,) = json.loads(archive.read("buyer.json"))["prizes_won"]
    assert (prize["result_number"], prize["winner_name"]) == (1, "Quetzalina Díaz")
    assert buyer_erasure.plan_erasure(buyer, now=LATER).won == (str(order),)
    out = io.StringIO()
    call_command("erase_buyer", "15550107777", "--yes", stdout=out)
    assert f"Won a prize: {order}." in out.getvalue()
    claim = PrizeClaim.objects.get()
    assert claim.winner_name == "Quetzalina Díaz"

    almost = LATER.replace(year=LATER.year + 4)
    assert retention.enforce_retention(days=30, now=almost).winners == 0
    assert retention.enforce_retention(days=30, now=almost + timedelta(days=1)).winners == 1
    claim.refresh_from_db()
    assert (claim.winner_name, claim.winner_phone, claim.note) == ("", "", "")
    assert claim.claimed_at == LATER, "that it was claimed stays"
    private = unpack(winners_file.build_winners_file(raffle))
    assert "Quetzalina" not in private["winners.json"].decode()
    check_record(raffle)
