"""Tests of `.env` files: the example, writing and new secrets."""

import stat
from pathlib import Path

import pytest

from deploy import dotenv
from shared.core.config import PROJECT_ROOT, Settings
from tests.cases import walk_cases


class TestExample:
    def test_is_what_the_project_ships(self) -> None:
        shipped = (PROJECT_ROOT / ".env.example").read_text()

        assert shipped == dotenv.render_env_example(), (
            "run: uv run python -m deploy.dotenv > .env.example"
        )

    @walk_cases("name", sorted(Settings.model_fields))
    def test_names_every_variable_with_its_line(self, name: str) -> None:
        lines = dotenv.render_env_example().splitlines()

        places = [
            at for at, line in enumerate(lines) if line.lstrip("#").startswith(f"{name.upper()}=")
        ]

        assert len(places) == 1
        above = lines[places[0] - 1]
        assert str(Settings.model_fields[name].description) in above
        assert above.startswith("# ")
        assert "(required)" in above or "(default: " in above

    def test_an_unfilled_copy_sets_nothing(self) -> None:
        for line in dotenv.render_env_example().splitlines():
            assert not line or line.startswith("#") or line.endswith("=")


class TestWrite:
    @pytest.mark.parametrize("value", ["plain", "a b", "it's", "back\\slash", "x='y'", "#no"])
    def test_is_read_back_as_it_was(self, tmp_path: Path, value: str) -> None:
        dotenv.write_env_file(tmp_path / "env", {"ONE": value, "TWO": "2"})

        assert dotenv.read_env_file(tmp_path / "env") == {"ONE": value, "TWO": "2"}

    def test_only_the_owner_may_read_it(self, tmp_path: Path) -> None:
        path = tmp_path / "env"
        path.write_text("old")
        path.chmod(0o644)

        dotenv.write_env_file(path, {"ONE": "1"})

        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_file_that_is_not_there_holds_nothing(self, tmp_path: Path) -> None:
        assert dotenv.read_env_file(tmp_path / "none") == {}


class TestFreshSecrets:
    def test_are_long_enough_and_never_the_same(self) -> None:
        one, other = dotenv.generate_secrets(), dotenv.generate_secrets()

        assert len(one["DJANGO_SECRET_KEY"]) >= 50
        assert one["DJANGO_SECRET_KEY"] != other["DJANGO_SECRET_KEY"]
        assert one["META_VERIFY_TOKEN"] != other["META_VERIFY_TOKEN"]
