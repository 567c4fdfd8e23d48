"""Tests of the pages of a draw: rules, sealing, values, drawing, winners and stubs."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import pypdfium2  # type: ignore[import-untyped]
import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.raffles.draws import stub_parts, urls
from backoffice.raffles.draws.stub_parts import StubPart
from shared.core.enums import DrawMethod, RaffleStatus, SourceKind, UnsoldRule
from shared.raffles import unchangeable_rows
from shared.raffles.draws.draw_models import (
    DrawResult,
    DrawRules,
    DrawSource,
    Prize,
    PrizeClaim,
    ReceiptChain,
    ReceiptEntry,
    SealedList,
    SourceReading,
)
from shared.raffles.models import Order, Raffle
from shared.raffles.services import lifecycle
from shared.raffles.services.draws import source_readings
from shared.raffles.services.draws.draw_rules import ChosenRules, ChosenSource
from shared.use_cases import raffle_changes
from shared.whatsapp.models import OutboundMessage
from tests import builders
from tests.integration.backoffice import draw_steps, sample_data
from tests.integration.backoffice.draw_steps import LINK, VALUE
from tests.integration.backoffice.pages import join_messages, press_button

pytestmark = pytest.mark.django_db(transaction=True)

MAX_QUERIES: Final = 26
"""Queries of a page of the draw: session, user, messages and menu included."""
TWO_PRIZES: Final = ChosenRules(prizes=["a motorbike", "a helmet"], minimum_sold=2)
RULES: Final = {
    "method": "PUBLIC_VALUE",
    "unsold_rule": "NEXT_SOLD_UPWARDS",
    "minimum_sold": "2",
    "claim_days": "30",
    "promoter": "Club of Example",
    "adults_only": "on",
    "sources-TOTAL_FORMS": "1",
    "sources-INITIAL_FORMS": "0",
    "sources-0-preset": "drand",
    "prizes-TOTAL_FORMS": "3",
    "prizes-INITIAL_FORMS": "0",
    "prizes-0-title": "a helmet",
    "prizes-0-ORDER": "2",
    "prizes-1-title": "a motorbike",
    "prizes-1-ORDER": "1",
    "prizes-2-title": "a horse",
    "prizes-2-ORDER": "3",
    "prizes-2-DELETE": "on",
}
SURE: Final = {"sure": "yes"}


def build_url(page: str, raffle: Raffle, *args: Any) -> str:
    return reverse(f"admin:desk_draw_{page}", args=[raffle.pk, *args])


def read_page(client: Client, page: str, raffle: Raffle, *args: Any) -> str:
    """Return the text of a page; it must need few queries and must not load the sealed list."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(build_url(page, raffle, *args))
    assert answer.status_code == 200, answer.headers
    most = MAX_QUERIES if page != "tell" else 2 * MAX_QUERIES  # it builds each winner's text
    assert len(queries) <= most, f"{page}: {len(queries)} queries"
    assert not [q for q in queries if '"raffles_sealedlist"."numbers"' in q["sql"]], page
    return answer.content.decode()


def log_in_drawer(name: str) -> Client:
    browser = Client()
    browser.force_login(
        sample_data.create_user(name, "view_raffle", "view_order", "draw_raffle", "change_raffle")
    )
    return browser


@pytest.mark.same_everywhere
class TestRules:
    def test_are_written_with_a_preview_and_freeze_with_the_first_sale(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        png = SimpleUploadedFile("bike.jpg", sample_data.draw_picture(), "image/jpeg")

        preview = owner.post(build_url("rules_preview", raffle), RULES).content.decode()
        answer = owner.post(build_url("rules", raffle), {**RULES, "prizes-1-picture": png})

        assert "Prize 1: a motorbike" in preview
        assert "Promoter: Club of Example" in preview
        assert "horse" not in preview
        assert answer.status_code == 302, answer.content.decode()
        raffle.refresh_from_db()
        assert (raffle.draw_method, raffle.promoter) == (DrawMethod.PUBLIC_VALUE, "Club of Example")
        assert raffle.adults_only
        first, second = Prize.objects.filter(raffle=raffle)
        assert (first.title, second.title) == ("a motorbike", "a helmet")
        assert first.picture
        assert not second.picture
        picture = owner.get(build_url("prize_picture", raffle, first.pk))
        assert picture["Content-Type"] == "image/jpeg"
        assert picture.getvalue()
        assert "motorbike" in read_page(owner, "rules", raffle)

        draw_steps.sell(raffle, 1)
        page = read_page(owner, "rules", raffle)
        assert "Frozen on" in page
        assert DrawRules.objects.get().sha256 in page
        assert "cannot change any more" in join_messages(
            owner.post(build_url("rules", raffle), RULES)
        )

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"minimum_sold": "1"}, "raise the minimum"),
            ({"claim_days": ""}, "This field is required."),
            ({"sources-0-preset": "6of49"}, "Name the source as the public knows it."),
            ({"method": "LOTTERY_DIGITS"}, "as many sources as prizes"),
            ({"rules_url": "ftp://example.com/rules"}, "The link is no web address"),
            ({"prizes-TOTAL_FORMS": "70"}, "At most 50 rows can be saved."),
        ],
    )
    def test_that_do_not_fit_are_refused_with_the_form_as_it_was(
        self, owner: Client, wrong: dict[str, str], words: str
    ) -> None:
        raffle = builders.create_raffle(numbers=20)

        answer = owner.post(build_url("rules", raffle), RULES | wrong)

        assert answer.status_code == 200
        assert words in answer.content.decode()
        assert "a motorbike" in answer.content.decode()
        assert not DrawRules.objects.exists()

    def test_of_a_lottery_are_read_back_and_a_row_is_added_without_scripts(
        self, owner: Client
    ) -> None:
        raffle = builders.create_raffle(numbers=100, first_number=0, time_zone="America/Bogota")
        source = {
            "sources-0-preset": "digits",
            "sources-0-name": "Lotería de Bogotá",
            "sources-0-at": "2037-12-12T22:30",
            "sources-0-repeat_days": "7",
            "sources-0-digits": "4",
        }
        one_prize = {"prizes-TOTAL_FORMS": "1", "prizes-0-ORDER": "1"}
        chosen = RULES | source | one_prize | {"method": "LOTTERY_DIGITS"}

        more = owner.post(build_url("rules", raffle), chosen | {"add_source": "yes"})
        assert 'name="sources-1-preset"' in more.content.decode()
        owner.post(build_url("rules", raffle), chosen)

        row = DrawSource.objects.get()
        assert (row.highest, row.value_count, row.repeat_days) == (9999, 1, 7)
        assert row.at is not None
        assert row.at.isoformat() == "2037-12-13T03:30:00+00:00"
        page = read_page(owner, "rules", raffle)
        assert 'value="2037-12-12T22:30"' in page
        assert re.search(r'<option value="digits" selected', page)

    def test_follow_the_card_and_the_draw_until_somebody_chooses_more(self, owner: Client) -> None:
        raffle = builders.create_raffle(numbers=20)
        one_prize = {"prizes-TOTAL_FORMS": "1", "prizes-0-ORDER": "1", "minimum_sold": ""}
        owner.post(build_url("rules", raffle), RULES | one_prize)
        Raffle.objects.update(prize="a tractor")

        page = read_page(owner, "rules", raffle)

        assert 'name="prizes-0-title" value="a tractor"' in page
        assert 'name="sources-0-at" value="2037-12-12T20:00"' in page, "for a lottery"
        assert not re.search(r'name="minimum_sold" value', page), "a second prize would raise it"
        Raffle.objects.update(status=RaffleStatus.DRAFT)
        made = owner.get(reverse("admin:raffles_raffle_generate", args=[raffle.pk]))
        assert build_url("rules", raffle) in made.content.decode()
        opened = owner.post(reverse("admin:raffles_raffle_open", args=[raffle.pk]))
        assert "can change until the first one is sold" in join_messages(opened)

    def test_of_a_raffle_sold_before_are_a_task_and_complete_the_chain(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(sold=3, draw_at=builders.DRAW)
        forget_rules(raffle)
        change = reverse("admin:raffles_raffle_change", args=[raffle.pk])

        assert "Say how it is drawn" in owner.get(change).content.decode()
        assert "Say how it is drawn" in owner.get(reverse("admin:index")).content.decode()
        page = read_page(owner, "rules", raffle)
        assert "were sold before it had rules" in page
        assert 'type="file"' not in page, "the prizes freeze at once, and with them their pictures"
        owner.post(build_url("rules", raffle), RULES)

        assert DrawRules.objects.get().frozen_at is not None
        assert ReceiptChain.objects.get().length == 3
        assert "Say how it is drawn" not in owner.get(change).content.decode()


def forget_rules(raffle: Raffle) -> None:
    """Make a raffle one that was sold before the product knew rules."""
    Raffle.objects.filter(pk=raffle.pk).update(draw_method="")
    Order.objects.filter(raffle=raffle).update(receipt_entry=None, receipt_head=None)
    unchangeable_rows.drop_triggers(connection)
    for model in (ReceiptEntry, ReceiptChain, DrawSource, Prize, DrawRules):
        model.objects.all().delete()
    unchangeable_rows.create_triggers(connection)


@pytest.mark.same_everywhere
class TestSeal:
    def test_names_what_is_open_and_then_seals_once(self, owner: Client) -> None:
        sample_data.create_user("rita", "draw_raffle")
        raffle = draw_steps.create_sold_raffle(sold=3, draw_at=builders.DRAW)
        order = sample_data.place_order(raffle, numbers=[7])

        page = read_page(owner, "seal", raffle)
        assert "Decide and seal before" in page
        assert str(order) in page
        assert "<strong>Two people</strong>: 2 people may draw" in page
        assert "drand quicknet" in page
        assert "Seal the list…" not in page
        close = reverse("admin:raffles_raffle_close", args=[raffle.pk])
        closed = owner.post(close, SURE | {"then": "draw"})
        assert closed["Location"] == build_url("seal", raffle)
        refused = press_button(owner, build_url("seal", raffle), **SURE)
        assert str(order) in refused[0]
        assert not SealedList.objects.exists()

        sample_data.expire_order(order)
        assert "Seal the list…" in read_page(owner, "seal", raffle)
        assert "Confirm that" in press_button(owner, build_url("seal", raffle))[0]
        answer = owner.post(build_url("seal", raffle), SURE)
        assert "Sealed: 3 sold numbers take part." in join_messages(answer)
        assert "Publish the record now" in owner.get(answer["Location"]).content.decode()
        assert press_button(owner, build_url("seal", raffle), **SURE) == ["It is sealed already."]
        sealed = SealedList.objects.get()
        assert (sealed.count, sealed.two_people, sealed.by_label) == (3, True, "olga")
        assert sealed.sha256 in read_page(owner, "seal", raffle)
        waiting = read_page(owner, "values", raffle)
        assert "once this time has come" in waiting
        assert f"/public/{sealed.sources[0]['round']}" in waiting


@pytest.mark.same_everywhere
class TestDraw:
    def test_needs_values_by_two_people_and_happens_once(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(rules=TWO_PRIZES)
        draw_steps.close_and_seal(raffle, two_people=True)
        rita, enter = log_in_drawer("rita"), build_url("enter_values", raffle, 1)

        assert "Enter the values" in read_page(owner, "values", raffle)
        wrong = owner.post(enter, {"source1-values": "12", "source1-link": LINK})
        assert "64 hex digits" in wrong.content.decode()
        assert "Randomness of the round" in wrong.content.decode(), "it still says what to enter"
        answer = '{"round":1,"randomness":"' + VALUE + '"}'
        first = press_button(owner, enter, **{"source1-values": answer, "source1-link": LINK})
        again = press_button(owner, enter, **{"source1-values": answer, "source1-link": LINK})
        assert "must confirm it now" in first[0]
        assert "nobody chooses" in again[0]
        [reading] = SourceReading.objects.all()
        confirm = build_url("confirm_reading", raffle, reading.pk)
        assert "You entered this yourself" in owner.get(confirm).content.decode()
        assert "Another person" in press_button(owner, confirm, seen="yes")[0]
        assert VALUE in rita.get(confirm).content.decode()
        assert "looked yourself" in press_button(rita, confirm)[0]
        assert press_button(rita, confirm, seen="yes") == ["Confirmed."]

        page = read_page(owner, "draw", raffle)
        fingerprint = re.search(r'name="inputs" value="(\w+)"', page)
        assert fingerprint
        assert VALUE in page
        assert "confirmed by rita" in page
        assert "values changed" in press_button(owner, build_url("draw", raffle), **SURE)[0]
        assert not DrawResult.objects.exists()
        pressed = SURE | {"inputs": fingerprint[1]}
        assert press_button(owner, build_url("draw", raffle), **pressed) == ["Drawn."]
        assert "It was drawn before" in press_button(rita, build_url("draw", raffle), **pressed)[0]
        numbers = [raffle.format_ticket_number(each.number) for each in DrawResult.objects.all()]
        assert len(numbers) == 2
        redraw = build_url("redraw", raffle, DrawResult.objects.all()[0].pk)
        assert "You drew it." in owner.get(redraw).content.decode()
        assert "You drew it." not in rita.get(redraw).content.decode()
        result = read_page(owner, "result", raffle)
        stage = owner.get(build_url("result", raffle) + "?stage=yes").content.decode()
        for number in numbers:
            assert f"{number}</p>" in result
            assert f"{number}</p>" in stage
        assert "RFC 3797" in stage
        assert "checked by two people" in stage

    def test_values_are_void_once_two_people_say_so(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle()
        draw_steps.close_and_seal(raffle, two_people=True)
        rita, enter = log_in_drawer("rita"), build_url("enter_values", raffle, 1)
        skip = build_url("skip", raffle, 1)

        assert "must confirm" in press_button(owner, skip, comment="No beacon.")[0]
        page = read_page(rita, "values", raffle)
        assert "To be skipped" in page
        assert "Or it was published after all" in page
        rita.post(enter, {"source1-values": VALUE, "source1-link": LINK})
        entered = SourceReading.objects.get(voided_at=None)
        owner.post(build_url("confirm_reading", raffle, entered.pk), {"seen": "yes"})
        void = build_url("void", raffle, entered.pk)
        gone = {"reason": "SOURCE_VOID", "comment": "The network says so."}
        assert "must declare them void, too" in press_button(owner, void, **gone)[0]
        assert "Another person" in join_messages(owner.post(void, gone))
        page = read_page(owner, "values", raffle)
        assert "To be declared void" in page
        assert "until then it counts" in page
        assert "Declared void." in press_button(rita, void, **gone)[0]

    def test_void_results_say_so_until_they_are_drawn_anew(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle()
        draw_steps.close_and_seal(raffle)
        draw_steps.draw(raffle)
        void = build_url("void", raffle, SourceReading.objects.get().pk)

        press_button(owner, void, reason="MISREAD", comment="Of another round.")
        page = read_page(owner, "result", raffle)
        assert "Void:" in page
        assert VALUE[:12] not in page
        draw_steps.draw(raffle, value="cd" * 32)

        page = read_page(owner, "result", raffle)
        assert "Void:" not in page
        assert "beginning with cdcdcdcdcdcd" in page
        assert VALUE[:12] not in page

    def test_values_are_declared_void_and_a_date_is_skipped(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle()
        draw_steps.close_and_seal(raffle)
        enter = build_url("enter_values", raffle, 1)
        photo = SimpleUploadedFile("v.jpg", sample_data.draw_picture(), "image/jpeg")
        refused = owner.post(enter, {"source1-values": "12", "source1-photo": photo})
        assert "choose the photo once more" in refused.content.decode()
        photo.seek(0)
        owner.post(enter, {"source1-values": VALUE, "source1-photo": photo})
        [reading] = SourceReading.objects.all()
        shown = owner.get(build_url("photo", raffle, reading.pk))
        assert shown.getvalue()
        void = build_url("void", raffle, reading.pk)

        assert "Please write why" in join_messages(owner.post(void, {"reason": "MISREAD"}))
        press_button(owner, void, reason="MISREAD", comment="A digit was wrong.")
        page = read_page(owner, "values", raffle)
        assert "A digit was wrong." in page
        assert "Enter the values" in page
        skip = build_url("skip", raffle, 1)
        assert "The next date" in press_button(owner, skip, comment="No beacon that day.")[0]
        assert "No beacon that day." in read_page(owner, "values", raffle)
        later = SourceReading.objects.last()
        assert later is not None
        assert later.date_index == 0
        history = owner.get(reverse("admin:raffles_raffle_history", args=[raffle.pk]))
        assert "Value declared void" in history.content.decode()


@pytest.mark.same_everywhere
class TestWinners:
    def test_are_confirmed_drawn_again_and_claimed(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(rules=TWO_PRIZES)
        draw_steps.close_and_seal(raffle)
        first, second = draw_steps.draw(raffle).results

        page = read_page(owner, "winners", raffle)
        assert f"Bo Li {first.number}" in page
        assert page.count("Confirm the winner…") == 2
        claim = build_url("claim", raffle, second.pk)
        assert "Confirm the winner first." in press_button(owner, claim)[0]
        again = build_url("redraw", raffle, first.pk)
        assert "can be claimed until" in owner.get(again).content.decode()
        early = owner.post(again, {"reason": "UNCLAIMED", "comment": "Silent."})
        assert "still has time" in join_messages(early)
        declined = {"reason": "DECLINED", "comment": "Does not want it."}
        assert "was drawn again" in press_button(owner, again, **declined)[0]
        assert "drawn again since" in press_button(owner, again, **declined)[0]
        newest = DrawResult.objects.get(attempt=2)

        for result in (newest, second):
            press_button(owner, build_url("confirm_winner", raffle, result.pk))
            press_button(owner, build_url("confirm_winner", raffle, result.pk))
        press_button(owner, build_url("claim", raffle, newest.pk), note="At the hall.")
        assert build_url("consent", raffle, newest.pk) in read_page(owner, "winners", raffle)
        press_button(owner, build_url("consent", raffle, newest.pk), consent="yes")
        claimed = PrizeClaim.objects.get(result=newest)
        assert (claimed.name_consent, claimed.note, claimed.claimed_by) == (
            True,
            "At the hall.",
            "olga",
        )
        page = read_page(owner, "winners", raffle)
        assert "At the hall." in page
        assert "may be published" in page
        assert "Does not want it." in read_page(owner, "result", raffle)

    def test_are_told_first_then_all_buyers_and_the_record_is_downloaded(
        self, owner: Client
    ) -> None:
        raffle = draw_steps.create_sold_raffle(rules=TWO_PRIZES)
        for order in Order.objects.filter(raffle=raffle)[:9]:
            contact = builders.create_contact(last_inbound_at=timezone.now())
            Order.objects.filter(pk=order.pk).update(contact=contact)
        draw_steps.close_and_seal(raffle)
        results = draw_steps.draw(raffle).results

        assert "Confirm every winner first" in read_page(owner, "tell", raffle)
        refused = press_button(owner, build_url("tell_winners", raffle))
        assert "Confirm the winner first." in refused[0]
        for result in results:
            press_button(owner, build_url("confirm_winner", raffle, result.pk))
        page = read_page(owner, "tell", raffle)
        assert re.search(r"<strong[^>]*>9</strong> buyers can be reached", page)
        assert re.search(r"<strong[^>]*>1</strong> order sold for cash", page)
        assert "Tell all buyers…" in page
        assert "nothing was sent" in press_button(owner, build_url("tell_buyers", raffle))[0]
        assert "are told now" in press_button(owner, build_url("tell_buyers", raffle), **SURE)[0]
        press_button(owner, build_url("tell_buyers", raffle), **SURE)
        raffle_changes.continue_raffle_changes(now=timezone.now())
        page = read_page(owner, "tell", raffle)
        assert "all who could be reached" in page
        assert "Buyers to tell by hand" in page
        assert OutboundMessage.objects.count() == 9

        record = owner.get(build_url("record", raffle))
        names = zipfile.ZipFile(BytesIO(record.getvalue())).namelist()
        assert {"draw.json", "list.txt", "verify.py"} <= set(names)
        assert b"Bo Li" not in record.getvalue()
        winners_file = owner.post(build_url("winners_file", raffle))
        assert "winners.json" in zipfile.ZipFile(BytesIO(winners_file.getvalue())).namelist()
        results_page = owner.get(build_url("results_page", raffle))
        assert "attachment" in results_page["Content-Disposition"]


class TestDrum:
    def test_stubs_are_printed_and_entered(self, owner: Client) -> None:
        drum = ChosenRules(method=DrawMethod.RECORDED_DRUM, sources=(), prizes=["a motorbike"])
        raffle = draw_steps.create_sold_raffle(rules=drum, title="Rifa Ñandú \N{PARTY POPPER}")
        draw_steps.close_and_seal(raffle)

        assert "1 to 10" in read_page(owner, "values", raffle)
        stubs = owner.get(build_url("stubs", raffle) + "?part=1")
        text = pypdfium2.PdfDocument(BytesIO(stubs.content))[0].get_textpage().get_text_bounded()
        assert all(number in text for number in ("01", "07", "10", "Rifa Ñandú")), text
        assert owner.get(build_url("stubs", raffle) + "?part=2").status_code == 404
        some = StubPart(1, first=5, last=8)
        assert stub_parts.load_numbers(raffle, some) == ["05", "06", "07", "08"]
        assert stub_parts.list_parts(SealedList(count=4_001)) == [
            StubPart(1, first=1, last=4_000),
            StubPart(2, first=4_001, last=4_001),
        ]
        enter = build_url("enter_stub", raffle, 1)
        unsold = owner.post(enter, {"prize1-number": "15", "prize1-link": LINK})
        assert "not on the sealed list" in unsold.content.decode()
        press_button(owner, enter, **{"prize1-number": "7", "prize1-link": LINK})
        fingerprint = re.search(r'name="inputs" value="(\w+)"', read_page(owner, "draw", raffle))
        assert fingerprint
        press_button(owner, build_url("draw", raffle), **SURE, inputs=fingerprint[1])
        assert "drawn from a drum by hand" in read_page(owner, "result", raffle)
        press_button(owner, enter, **{"prize1-number": "8", "prize1-link": LINK})
        assert "Now draw the prize again" in read_page(owner, "values", raffle)


class TestNextSteps:
    @pytest.mark.acceptance
    def test_lead_through_the_draw_in_the_list_and_on_the_dashboard(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle()
        hub = reverse("admin:desk_draw", args=[raffle.pk])

        def look() -> tuple[str, str]:
            owner_list = owner.get(reverse("admin:desk_draws")).content.decode()
            dashboard = owner.get(reverse("admin:index")).content.decode()
            button = re.search(r'btn btn-outline-primary" href="[^"]+">([^<]+)', owner_list)
            assert button is not None
            shown = button[1] in dashboard
            return button[1] if shown else f"{button[1]} (not on the dashboard)", owner.get(hub)[
                "Location"
            ]

        assert look() == ("Close the sale", build_url("seal", raffle))
        draw_steps.close_and_seal(raffle, two_people=True)
        assert look() == ("Enter the values", build_url("values", raffle))
        owner.post(
            build_url("enter_values", raffle, 1), {"source1-values": VALUE, "source1-link": LINK}
        )
        assert look() == ("Confirm the values", build_url("values", raffle))
        rita = log_in_drawer("rita")
        [reading] = SourceReading.objects.all()
        rita.post(build_url("confirm_reading", raffle, reading.pk), {"seen": "yes"})
        assert look() == ("Draw", build_url("draw", raffle))
        [result] = draw_steps.draw(raffle, value="").results
        assert look() == ("Confirm the winners", build_url("winners", raffle))
        owner.post(build_url("confirm_winner", raffle, result.pk))
        assert look()[0] == "Note claims"  # sold for cash, so there is no chat
        buyer = builders.create_contact()
        Order.objects.filter(claims__result=result).update(contact=buyer)
        assert look() == ("Tell the winners", build_url("tell", raffle))
        [sent] = press_button(owner, build_url("tell_winners", raffle))
        assert sent == "1 message on the way; here you see what arrives."
        assert look()[0] == "Note claims"
        assert "see whether it arrived" in read_page(owner, "winners", raffle)
        DrawRules.objects.update(claim_days=1)
        assert look()[0] == "Draw again"
        owner.post(build_url("claim", raffle, result.pk))
        assert look() == ("Result (not on the dashboard)", build_url("result", raffle))

    @pytest.mark.same_everywhere
    def test_wait_for_the_next_date_if_the_number_was_not_sold(self, owner: Client) -> None:
        at = timezone.now().replace(microsecond=0)
        source = ChosenSource(SourceKind.LOTTERY, name="Lotto", at=at, highest=99, repeat_days=7)
        rules = ChosenRules(
            method=DrawMethod.LOTTERY_DIGITS,
            sources=[source],
            unsold_rule=UnsoldRule.NEXT_SOURCE_DATE,
        )
        raffle = draw_steps.create_sold_raffle(numbers=100, first_number=0, draw_at=at, rules=rules)
        draw_steps.close_and_seal(raffle)

        source_readings.enter_values(
            raffle.pk, position=1, values=["99"], link=LINK, by=draw_steps.SYLVIA, now=at
        )

        page = owner.get(reverse("admin:desk_draws")).content.decode()
        assert "Sealed. It waits for" in page
        assert "See what it waits for" in page
        values = owner.get(build_url("values", raffle)).content.decode()
        assert "was not sold, so the rules leave" in values

    @pytest.mark.same_everywhere
    def test_lead_to_the_sealing_of_a_raffle_without_a_date(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(draw_at=None, draw_when_sold_out=True)
        lifecycle.close(raffle.pk, by=draw_steps.SYLVIA, now=timezone.now())

        assert "Seal the list" in owner.get(reverse("admin:index")).content.decode()

    @pytest.mark.same_everywhere
    def test_end_where_too_few_numbers_are_sold(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(sold=1, rules=TWO_PRIZES)
        lifecycle.close(raffle.pk, by=draw_steps.SYLVIA, now=timezone.now())

        dashboard = owner.get(reverse("admin:index")).content.decode()
        assert "it can only be called off" in dashboard
        assert "Seal the list" not in dashboard
        page = read_page(owner, "seal", raffle)
        assert "Too few numbers were sold." in page
        assert reverse("admin:raffles_raffle_call_off", args=[raffle.pk]) in page

    def test_say_until_when_somebody_may_decide(self, owner: Client) -> None:
        raffle = draw_steps.create_sold_raffle(draw_at=builders.DRAW)
        sample_data.receive_kept_proof(sample_data.place_order(raffle, numbers=[15]))
        raffle.refresh_from_db()
        Raffle.objects.update(status=RaffleStatus.CLOSED, draw_at=builders.DRAW)

        page = owner.get(reverse("admin:index")).content.decode()

        assert "1 order to decide before 12 Dec 2037" in page
        assert "afterwards nobody may" in page


@pytest.mark.same_everywhere
class TestAddresses:
    def test_that_are_looked_at_change_nothing(self, owner: Client) -> None:
        own = find_arguments(create_drawn_raffle())
        before = dump_rows()

        for name, arguments in iterate_draw_addresses():
            address = reverse(f"admin:{name}", kwargs={key: own[key] for key in arguments})
            answer = owner.get(address)
            assert answer.status_code in {200, 302, 404, 405}, address
            if answer.streaming:
                answer.getvalue()
            assert dump_rows() == before, address

    def test_with_rows_of_another_raffle_lead_nowhere(self, owner: Client) -> None:
        raffle = create_drawn_raffle()
        others = find_arguments(create_drawn_raffle()) | {"raffle_id": raffle.pk}
        before = dump_rows()
        pressed = SURE | {"seen": "yes", "reason": "DECLINED", "comment": "Not mine."}

        mixed = 0
        for name, arguments in iterate_draw_addresses():
            if {"prize_id", "reading_id", "result_id"}.isdisjoint(arguments):
                continue
            mixed += 1
            address = reverse(f"admin:{name}", kwargs={key: others[key] for key in arguments})
            assert owner.get(address).status_code in {404, 405}, address
            assert owner.post(address, pressed).status_code in {404, 405}, address
        assert mixed == 8
        assert dump_rows() == before


def create_drawn_raffle() -> Raffle:
    """Create a raffle that was drawn for one prize."""
    raffle = draw_steps.create_sold_raffle()
    draw_steps.close_and_seal(raffle)
    draw_steps.draw(raffle)
    return raffle


def find_arguments(raffle: Raffle) -> dict[str, int]:
    """Return what the addresses of a drawn raffle contain."""
    return {
        "raffle_id": raffle.pk,
        "prize_id": raffle.prizes.get().pk,
        "reading_id": raffle.source_readings.get().pk,
        "result_id": raffle.draw_results.get().pk,
        "position": 1,
    }


def iterate_draw_addresses() -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the arguments of each address of the draws."""
    for pattern in urls.build_draw_urls(admin.site):
        yield str(pattern.name), list(pattern.pattern.converters)


def dump_rows() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of raffles, messages, events and the log of the back office."""
    models: list[Any] = [
        *apps.get_app_config("raffles").get_models(),
        *apps.get_app_config("events").get_models(),
        OutboundMessage,
        LogEntry,
    ]
    return {str(model): list(model.objects.values().order_by("pk")) for model in models}
