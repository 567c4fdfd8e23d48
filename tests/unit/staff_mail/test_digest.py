"""Tests of the words of an e-mail to staff."""

from datetime import UTC, datetime

from django.urls import resolve

from shared.staff_mail import digest
from shared.staff_mail.situation import DueDraw, OpenAlarm, Situation, WaitingProofs

OLDEST = datetime(2026, 11, 29, 19, 2, tzinfo=UTC)
PROOFS = WaitingProofs(
    3, OLDEST, OLDEST, "America/Bogota", (("Summer Raffle", 2), ("Boat\r\nBcc: x@example.com", 1))
)
DRAW = DueDraw(7, "Summer <b>Raffle", OLDEST, "America/Bogota", 2)


def build(found: Situation) -> digest.Digest:
    return digest.build_digest(found, brand="Club", public_url="https://raffles.example")


def test_says_how_many_wait_since_when_and_where_to_look() -> None:
    words = build(Situation(proofs=PROOFS))

    assert words.subject == (
        "Club: 3 proofs wait, the oldest since 29 Nov 2026, 14:02 (America/Bogota)"
    )
    assert words.text.startswith(
        "3 proofs wait, the oldest since 29 Nov 2026, 14:02 (America/Bogota)\n"
        "  Summer Raffle: 2\n"
        "  Boat Bcc: x@example.com: 1\n"
        "https://raffles.example/admin/queue/\n"
    )
    assert "https://raffles.example/admin/security/" in words.text


def test_one_proof_is_one() -> None:
    one = WaitingProofs(1, OLDEST, OLDEST, "UTC", (("Summer Raffle", 1),))

    assert "a proof waits since 29 Nov 2026, 19:02 (UTC)" in build(Situation(proofs=one)).subject


def test_names_draws_with_and_without_a_date() -> None:
    sold_out = DueDraw(8, "Winter Raffle", None, "UTC", 0)

    one, two = build(Situation(draws=(sold_out,))), build(Situation(draws=(sold_out, DRAW)))

    assert one.subject == "Club: draw due: Winter Raffle"
    assert "all its numbers are sold" in one.text
    assert "https://raffles.example/admin/raffles/raffle/8/change/" in one.text
    assert two.subject == "Club: 2 draws are due"
    assert (
        "Summer <b>Raffle: the draw was to be on 29 Nov 2026, 14:02 (America/Bogota); "
        "2 orders to review" in two.text
    )
    assert "Summer &lt;b&gt;Raffle" in two.html


def test_lists_ten_alarms_and_counts_the_others() -> None:
    alarms = tuple(OpenAlarm(number, f"Alarm {number}") for number in range(12))

    words = build(Situation(alarms=alarms))

    assert words.subject == "Club: 12 alarms"
    assert "Alarm 9\n" in words.text
    assert "Alarm 10" not in words.text
    assert "and 2 more" in words.text


def test_a_subject_is_one_line_whatever_a_title_contains() -> None:
    title = "Boat\r\nBcc: x@example.com\u2028Raffle"

    words = build(Situation(draws=(DueDraw(8, title, None, "UTC", 0),)))

    assert words.subject == "Club: draw due: Boat Bcc: x@example.com Raffle"


def test_every_link_is_a_page_of_the_back_office() -> None:
    for path in (
        digest.QUEUE_PATH,
        digest.RAFFLES_PATH,
        f"{digest.RAFFLES_PATH}7/change/",
        digest.ALARMS_PATH.partition("?")[0],
        digest.SWITCH_PATH,
    ):
        assert resolve(path).url_name
