"""Tests of draws over the API: reading, entering values and drawing, each once, with its scope."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from shared.core.enums import EventType, RedrawReason, Scope
from shared.events.models import Event
from shared.raffles.draws.draw_models import DrawResult, SourceReading
from shared.raffles.models import Raffle
from shared.raffles.services.draws import drawing, source_readings, winners
from shared.raffles.services.draws.records import verify
from tests import builders
from tests.builders import build_staff_actor
from tests.draw_builders import (
    LINK,
    create_raffle_with_rules,
    seal_raffle,
    sell_numbers,
)
from tests.integration.backoffice import sample_data
from tests.integration.backoffice.api_client import ApiProgram, parse_refusal

pytestmark = pytest.mark.django_db

HOUR: Final = timedelta(hours=1)


@pytest.fixture
def draws(db: None) -> ApiProgram:
    return ApiProgram(sample_data.create_api_token("draws", scope=Scope.DRAW))


@pytest.fixture
def raffle(db: None) -> Raffle:
    """Create a raffle whose source has just spoken; Ana has 03, 07 and 13, somebody else 01."""
    made = create_raffle_with_rules(draw_at=timezone.now().replace(microsecond=0))
    ana = builders.create_contact(profile_name="Ana", wa_id="15550100042")
    sell_numbers(made, 1)
    sell_numbers(made, 3, 7, 13, buyer=ana)
    return made


def enter(program: ApiProgram, raffle: Raffle, *values: str, **changed: Any) -> Any:
    body = {"position": 1, "values": values or ["0123456"], "link": LINK, **changed}
    return program.post(f"/api/raffles/{raffle.pk}/draw/values", body)


def draw(program: ApiProgram, raffle: Raffle, fingerprint: str) -> Any:
    return program.post(f"/api/raffles/{raffle.pk}/draw", {"fingerprint": fingerprint})


def load(program: ApiProgram, raffle: Raffle) -> Any:
    answer = program.get(f"/api/raffles/{raffle.pk}/draw")
    assert answer.status_code == 200, answer.content
    return answer.json()


class TestStory:
    def test_values_are_entered_and_prizes_drawn_once(
        self, draws: ApiProgram, raffle: Raffle
    ) -> None:
        reader = ApiProgram(sample_data.create_api_token("reader", scope=Scope.READ))
        before = load(reader, raffle)
        assert (before["method"], before["sealed"], before["inputs"]) == (
            "PUBLIC_VALUE",
            None,
            None,
        )
        assert [prize["title"] for prize in before["prizes"]] == ["a motorbike", "a helmet"]
        assert before["rules"]["text"].startswith("Rules of the draw: Summer Raffle\nPromoter: The")
        assert len(before["rules"]["sha256"]) == 64
        [source] = before["sources"]
        assert (source["name"], source["at"], source["ready"]) == (
            "State Lottery",
            raffle.draw_at.isoformat() if raffle.draw_at else "",
            False,
        )
        assert parse_refusal(enter(draws, raffle)) == (409, "raffle_not_sealed")
        assert parse_refusal(draw(draws, raffle, "0" * 64)) == (409, "raffle_not_sealed")

        sealed = seal_raffle(raffle)
        shown = load(reader, raffle)
        assert (shown["sealed"]["list_hash"], shown["sealed"]["count"]) == (sealed.sha256, 4)
        assert shown["inputs"]["missing"] == ["State Lottery"]
        assert parse_refusal(draw(draws, raffle, shown["inputs"]["fingerprint"])) == (
            409,
            "inputs_missing",
        )
        for values in (["10000000"], ["1", "2"]):
            assert parse_refusal(enter(draws, raffle, *values)) == (422, "value_invalid")
        assert parse_refusal(enter(draws, raffle, position=2)) == (404, "value_not_found")
        assert parse_refusal(enter(draws, raffle, link="http://!")) == (422, "link_invalid")

        entered = enter(draws, raffle, "0123456").json()
        assert (entered["already"], entered["inputs"]["missing"]) == (False, [])
        assert entered["inputs"]["key_string"] == "123456./"
        reading = entered["sources"][0]["reading"]
        assert (reading["values"], reading["link"]) == (["0123456"], LINK)
        assert (
            reading["entered_by"] == reading["confirmed_by"] == {"kind": "token", "label": "draws"}
        )
        for same in ("0123456", "123456"):
            assert enter(draws, raffle, same).json()["already"]
        assert parse_refusal(enter(draws, raffle, "0123457")) == (409, "value_exists")

        shown_before = shown["inputs"]["fingerprint"]
        assert parse_refusal(draw(draws, raffle, shown_before)) == (409, "inputs_changed")
        drawn, again = (
            draw(draws, raffle, entered["inputs"]["fingerprint"]).json() for _ in range(2)
        )
        assert (drawn["already"], again["already"]) == (False, True)
        assert drawn["results"] == again["results"]
        assert drawn["status"] == "DRAWN"
        assert [(one["prize"], one["attempt"], one["state"]) for one in drawn["results"]] == [
            (1, 1, "UNCONFIRMED"),
            (2, 1, "UNCONFIRMED"),
        ]
        assert {one["number"] for one in drawn["results"]} < {"01", "03", "07", "13"}
        assert DrawResult.objects.count() == 2
        assert Event.objects.filter(type=EventType.RAFFLE_DRAWN).count() == 1
        assert "Ana" not in str(drawn)

    def test_the_record_is_a_zip_that_verifies(
        self, draws: ApiProgram, raffle: Raffle, tmp_path: Path
    ) -> None:
        path = f"/api/raffles/{raffle.pk}/draw/record"
        assert parse_refusal(draws.get(path)) == (409, "raffle_not_sealed")
        seal_raffle(raffle)
        draw(draws, raffle, enter(draws, raffle).json()["inputs"]["fingerprint"])

        answer = draws.get(path)

        assert answer["Content-Type"] == "application/zip"
        name = f"raffle-{raffle.pk}-draw.zip"
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        (tmp_path / name).write_bytes(answer.getvalue())
        report = verify.verify_record(tmp_path / name)
        assert (report.problems, bool(report.facts)) == ([], True)

    def test_winners_are_shown_once_a_person_has_confirmed_them(
        self, draws: ApiProgram, raffle: Raffle
    ) -> None:
        seal_raffle(raffle)
        drawn = draw(draws, raffle, enter(draws, raffle).json()["inputs"]["fingerprint"]).json()
        by, now = build_staff_actor(), timezone.now() + HOUR
        first, second = DrawResult.objects.order_by("prize__position")
        assert all(one["winner"] is None for one in drawn["results"])

        again = drawing.redraw(
            first.pk, reason=RedrawReason.DECLINED, comment="No licence.", by=by, now=now
        )
        for result in (again, second):
            winners.confirm_winner(result.pk, by=by, now=now)
        winners.claim_prize(second.pk, note="handed over", by=by, now=now)

        shown = {(one["prize"], one["attempt"]): one for one in load(draws, raffle)["results"]}
        assert {key: one["state"] for key, one in shown.items()} == {
            (1, 1): "REPLACED",
            (2, 1): "CLAIMED",
            (1, 2): "CONFIRMED",
        }
        assert (shown[1, 2]["reason"], shown[1, 2]["comment"]) == ("DECLINED", "No licence.")
        assert shown[1, 1]["winner"] is None
        names = {"03": "Ana", "07": "Ana", "13": "Ana", "01": "Bo Li"}
        for key in ((2, 1), (1, 2)):
            assert shown[key]["winner"]["buyer"]["name"] == names[shown[key]["number"]]

    def test_a_token_is_never_the_second_person(self, draws: ApiProgram, raffle: Raffle) -> None:
        seal_raffle(raffle, two_people=True)

        entered = enter(draws, raffle).json()

        assert entered["sealed"]["two_people"]
        assert entered["sources"][0]["reading"]["confirmed_by"] is None
        assert entered["inputs"]["missing"] == ["State Lottery"]
        other = ApiProgram(sample_data.create_api_token("other", scope=Scope.DRAW))
        assert enter(other, raffle).json()["already"], "it confirms nothing"
        fingerprint = entered["inputs"]["fingerprint"]
        assert parse_refusal(draw(other, raffle, fingerprint)) == (409, "inputs_missing")
        source_readings.confirm_reading(
            SourceReading.objects.get().pk, by=build_staff_actor(), now=timezone.now()
        )
        assert parse_refusal(draw(other, raffle, fingerprint)) == (409, "inputs_changed")
        fingerprint = load(other, raffle)["inputs"]["fingerprint"]
        assert draw(other, raffle, fingerprint).json()["status"] == "DRAWN"


@pytest.mark.same_everywhere
class TestScopes:
    @pytest.mark.parametrize("scope", [Scope.READ, Scope.REVIEW, Scope.ADMIN])
    def test_no_other_token_enters_values_or_draws(self, raffle: Raffle, scope: Scope) -> None:
        program = ApiProgram(sample_data.create_api_token(scope=scope))

        assert program.get(f"/api/raffles/{raffle.pk}/draw").status_code == 200
        for refused in (enter(program, raffle), draw(program, raffle, "0" * 64)):
            assert parse_refusal(refused) == (403, "scope_missing")
            assert refused.json()["detail"] == {"scope": scope, "needed": "DRAW"}

    def test_one_that_draws_reads_and_decides_about_nothing_else(
        self, draws: ApiProgram, raffle: Raffle
    ) -> None:
        order = sample_data.place_order(raffle, numbers=[15])

        assert draws.get("/api/orders").status_code == 200
        for refused, needed in (
            (draws.decide(order, "confirm-payment"), "REVIEW"),
            (draws.post(f"/api/raffles/{raffle.pk}/close"), "ADMIN"),
        ):
            assert parse_refusal(refused) == (403, "scope_missing")
            assert refused.json()["detail"] == {"scope": "DRAW", "needed": needed}

    @pytest.mark.parametrize(
        ("permissions", "read", "entered"),
        [
            (sample_data.REVIEWER_PERMISSIONS, 200, 403),
            (("view_order", "draw_raffle"), 200, 409),
            (("draw_raffle",), 403, 409),
        ],
    )
    def test_people_need_the_permission_to_draw(
        self, raffle: Raffle, permissions: tuple[str, ...], read: int, entered: int
    ) -> None:
        program = ApiProgram()
        program.client = Client()
        program.client.force_login(sample_data.create_user("rita", *permissions))

        assert program.get(f"/api/raffles/{raffle.pk}/draw").status_code == read
        assert enter(program, raffle).status_code == entered


@pytest.mark.same_everywhere
class TestRefusals:
    def test_of_values_before_their_source_has_spoken(self, draws: ApiProgram) -> None:
        later = create_raffle_with_rules(draw_at=timezone.now() + 24 * HOUR)
        sell_numbers(later, 1, 2)
        seal_raffle(later)

        early = enter(draws, later)

        assert parse_refusal(early) == (409, "value_not_due")
        assert early.json()["detail"] == {"at": later.draw_at and later.draw_at.isoformat()}

    def test_of_what_cannot_be_understood(self, draws: ApiProgram, raffle: Raffle) -> None:
        for body in (
            {},
            {"position": 0, "values": ["1"], "link": LINK},
            {"position": 1, "values": [], "link": LINK},
            {"position": 1, "values": ["twelve"], "link": LINK},
            {"position": 1, "values": [123456], "link": LINK},
            {"position": 1, "values": ["1"], "link": "see the paper"},
            {"position": 1, "values": ["1"], "link": LINK, "seed": "mine"},
        ):
            answer = draws.post(f"/api/raffles/{raffle.pk}/draw/values", body)
            assert parse_refusal(answer) == (400, "malformed"), body
        assert parse_refusal(draw(draws, raffle, "latest")) == (400, "malformed")
        assert parse_refusal(draws.get("/api/raffles/999/draw")) == (404, "raffle_not_found")

    def test_rules_that_a_person_must_choose_are_missing(self, draws: ApiProgram) -> None:
        chosen_by_nobody = builders.create_raffle(numbers=20)
        shown = load(draws, chosen_by_nobody)
        assert shown["sources"][0]["name"] == "drand quicknet"
        assert (shown["rules"]["sha256"], shown["rules"]["frozen_at"]) == (None, None)
        listed = draws.get("/api/raffles").json()["results"][0]
        assert (listed["draw_method"], listed["prizes"]) == (None, ["a motorbike"])
