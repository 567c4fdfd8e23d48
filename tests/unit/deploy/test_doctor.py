"""Tests of the doctor's report."""

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy import doctor
from gateway.doctor import CheckResult, CheckStatus, report_failed, report_open, report_passed
from shared.core.config import Settings

GOOD = report_passed("Database", "answers")
MISSING = report_open("PUBLIC_URL", "this machine only", remedy="Get a certificate.")
UNSEEN = report_open("Meta", "cannot be asked")
WRONG = report_failed("Clock", "is 40 s away", remedy="Set it.")


class TestNextStep:
    @pytest.mark.parametrize(
        ("findings", "step"),
        [
            ([GOOD, MISSING, WRONG], "Clock: Set it."),
            ([GOOD, UNSEEN, MISSING], "PUBLIC_URL: Get a certificate."),
            ([GOOD, UNSEEN], "nothing is missing"),
        ],
    )
    def test_is_what_is_wrong_then_what_is_missing(
        self, findings: list[CheckResult], step: str
    ) -> None:
        assert doctor.find_next_step(findings).startswith(step)


class TestExitCode:
    def test_is_zero_only_if_nothing_is_wrong(self) -> None:
        assert doctor.compute_exit_code([GOOD, MISSING, UNSEEN]) == 0
        assert doctor.compute_exit_code([GOOD, WRONG]) == 1


class TestFormerSecrets:
    @pytest.mark.parametrize(
        ("variables", "remedy"),
        [
            ({}, None),
            ({"meta_app_secret": "new"}, None),
            (
                {"meta_app_secret": "new,old"},
                "Take out the former app secret once Meta signs with the new one",
            ),
            (
                {"django_secret_key_fallbacks": "former"},
                "Take out DJANGO_SECRET_KEY_FALLBACKS a week after the change",
            ),
        ],
    )
    def test_are_named_while_they_are_accepted(
        self, variables: dict[str, str], remedy: str | None
    ) -> None:
        settings = Settings(**{"django_secret_key": "x" * 50, "meta_app_secret": "", **variables})  # type: ignore[arg-type]

        found = doctor._check_former_secrets(settings)

        assert [finding.outcome for finding in found] == ([CheckStatus.OPEN] if remedy else [])
        assert remedy is None or found[0].remedy.startswith(remedy)


class TestMarks:
    @pytest.mark.parametrize("status", CheckStatus)
    def test_every_status_has_a_mark(self, status: CheckStatus) -> None:
        assert doctor.CHECK_STATUS_MARKS[status]


class TestShow:
    def test_outside_a_terminal_each_finding_is_a_plain_line(self) -> None:
        out = StringIO()

        doctor.print_results([GOOD, MISSING, WRONG], Console(file=out, width=20, soft_wrap=True))

        assert out.getvalue().splitlines()[:5] == [
            "✓ Database    answers",
            "– PUBLIC_URL  this machine only",
            "              → Get a certificate.",
            "✗ Clock       is 40 s away",
            "              → Set it.",
        ]

    def test_in_a_terminal_it_is_a_table_with_colours(self) -> None:
        out = StringIO()

        doctor.print_results([GOOD, WRONG], Console(file=out, width=60, force_terminal=True))

        assert "\x1b[" in out.getvalue()
        assert "Next step" in out.getvalue()


class TestAsJson:
    def test_a_program_reads_the_same(self) -> None:
        read = json.loads(doctor.render_results_as_json([GOOD, WRONG]))

        assert read["healthy"] is False
        assert read["next"] == "Clock: Set it."
        assert read["checks"][1] == {
            "title": "Clock",
            "outcome": "failed",
            "words": "is 40 s away",
            "remedy": "Set it.",
        }


class TestConfiguration:
    def test_names_a_dotenv_file_that_is_not_text(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".env").write_bytes(b"BRAND_NAME=Caf\xe9\n")
        monkeypatch.chdir(tmp_path)

        found = {result.title: result for result in doctor.run_checks(now=datetime.now(UTC))}

        assert found[".env"].words == "It cannot be read: it is not text in UTF-8."
        assert "save it as text in UTF-8" in found[".env"].remedy

    def test_names_the_file_of_a_secret_that_cannot_be_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("META_ACCESS_TOKEN")
        monkeypatch.setenv("META_ACCESS_TOKEN_FILE", "/no/such/file")

        [found] = [
            result
            for result in doctor.run_checks(now=datetime.now(UTC))
            if result.title == "META_ACCESS_TOKEN"
        ]

        assert "the file /no/such/file, which META_ACCESS_TOKEN_FILE names" in found.words
        assert "META_ACCESS_TOKEN_FILE and the file that it names" in found.remedy
