"""Tests of the configuration: it reports all errors at once."""

import os
from pathlib import Path

import pytest

from shared.core.config import PROJECT_ROOT, GatewaySettings, Settings
from shared.core.config_errors import ConfigurationError
from shared.core.secret_files import SECRET_FIELDS, name_file_variable
from shared.settings import build_database_settings

COMPLETE = {
    "DJANGO_SECRET_KEY": "k" * 50,
    "META_APP_SECRET": "old, new",
    "META_VERIFY_TOKEN": "verify",
    "META_ACCESS_TOKEN": "token",
    "META_PHONE_NUMBER_ID": "106540352242922, 106540352242923",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Empty the environment and change to a folder without a `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name in SECRET_FIELDS:
        monkeypatch.delenv(name_file_variable(name), raising=False)


def set_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in {**COMPLETE, **variables}.items():
        monkeypatch.setenv(name, value)


class TestRead:
    def test_names_everything_missing_and_malformed_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PUBLIC_URL", "raffles.example")
        monkeypatch.setenv("META_PHONE_NUMBER_ID", "+1 555 0100")
        monkeypatch.setenv("META_ACCESS_TOKEN", "")

        with pytest.raises(ConfigurationError) as caught:
            GatewaySettings.from_environment()

        assert set(caught.value.problems) == {
            "DJANGO_SECRET_KEY",
            "META_APP_SECRET",
            "META_VERIFY_TOKEN",
            "META_ACCESS_TOKEN",
            "META_PHONE_NUMBER_ID",
            "PUBLIC_URL",
        }
        assert "META_APP_SECRET: is required and missing" in str(caught.value)

    def test_asks_the_back_office_for_less(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SECRET_KEY", "k" * 50)

        assert Settings.from_environment().phone_number_ids == ()

    def test_never_shows_a_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch)
        shown = repr(GatewaySettings.from_environment())

        assert "token" not in shown.replace("meta_verify_token", "").replace(
            "meta_access_token", ""
        )
        assert "old" not in shown

    def test_takes_several_secrets_and_numbers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch)
        settings = GatewaySettings.from_environment()

        assert settings.app_secrets == ("old", "new")
        assert settings.phone_number_ids == ("106540352242922", "106540352242923")

    def test_names_a_dotenv_file_that_is_not_text(self) -> None:
        Path(".env").write_bytes(b"BRAND_NAME=Caf\xe9\n")

        with pytest.raises(ConfigurationError, match=r"\.env: cannot be read: it is not text"):
            Settings.from_environment()

    def test_reads_a_dotenv_file_in_the_working_folder(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(f"DJANGO_SECRET_KEY={'s' * 50}\n")

        assert Settings.from_environment().django_secret_key.get_secret_value() == "s" * 50


class TestDatabase:
    def test_is_relative_to_the_projects_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch, DATABASE_URL="sqlite:///var/raffle.sqlite3")

        assert (
            Settings.from_environment().resolved_database_url
            == f"sqlite:///{PROJECT_ROOT}/var/raffle.sqlite3"
        )

    def test_may_be_anywhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch, DATABASE_URL="sqlite:////srv/raffle.sqlite3")

        assert Settings.from_environment().resolved_database_url == "sqlite:////srv/raffle.sqlite3"

    def test_is_of_a_known_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch, DATABASE_URL="mysql://somewhere")

        with pytest.raises(ConfigurationError, match="sqlite:///"):
            Settings.from_environment()


class TestBrand:
    def test_takes_a_picture_below_the_projects_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch, BRAND_LOGO="backoffice/static/backoffice/ticket.png")

        assert (
            Settings.from_environment().brand_logo_file
            == PROJECT_ROOT / "backoffice/static/backoffice/ticket.png"
        )

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("BRAND_LOGO", "README.md"),
            ("BRAND_LOGO", "var/no-such-logo.png"),
            ("BRAND_NAME", "   "),
            ("BRAND_NAME", "x" * 41),
            ("BRAND_COLOUR", "teal"),
            ("TIME_ZONE", "Mars/Base"),
            ("TRUSTED_PROXIES", "-1"),
        ],
    )
    def test_names_what_cannot_be_shown(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        set_environment(monkeypatch, **{variable: value})

        with pytest.raises(ConfigurationError) as caught:
            Settings.from_environment()

        assert set(caught.value.problems) == {variable}


class TestMail:
    def test_is_off_without_a_mail_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(monkeypatch)

        assert not Settings.from_environment().sends_mail

    def test_is_off_with_the_word_none_which_goes_before_a_line_of_a_file(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path(".env").write_text("EMAIL_HOST=mail.example.com\n")
        set_environment(monkeypatch, EMAIL_HOST="none")

        assert not Settings.from_environment().sends_mail

    @pytest.mark.parametrize("sender", ["", "raffles", "Raffles <raffles>"])
    def test_needs_a_sender_with_a_mail_server(
        self, monkeypatch: pytest.MonkeyPatch, sender: str
    ) -> None:
        set_environment(monkeypatch, EMAIL_HOST="mail.example.com", DEFAULT_FROM_EMAIL=sender)

        with pytest.raises(ConfigurationError) as caught:
            Settings.from_environment()

        assert set(caught.value.problems) == {"DEFAULT_FROM_EMAIL"}

    def test_is_on_with_both_and_keeps_the_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_environment(
            monkeypatch,
            EMAIL_HOST="mail.example.com",
            EMAIL_HOST_PASSWORD="very-secret",
            DEFAULT_FROM_EMAIL="Raffles <raffles@example.com>",
        )

        settings = Settings.from_environment()

        assert settings.sends_mail
        assert "very-secret" not in repr(settings)


class TestSecretFiles:
    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        file = tmp_path / "secret"
        file.write_text("from a file\n")
        return file

    def test_hold_the_value_of_a_variable(
        self, monkeypatch: pytest.MonkeyPatch, secret: Path
    ) -> None:
        set_environment(monkeypatch, META_ACCESS_TOKEN="", META_ACCESS_TOKEN_FILE=str(secret))

        assert GatewaySettings.from_environment().meta_access_token.get_secret_value() == (
            "from a file"
        )

    def test_are_named_in_a_dotenv_file_too_but_the_environment_goes_first(
        self, monkeypatch: pytest.MonkeyPatch, secret: Path
    ) -> None:
        Path(".env").write_text(f"META_APP_SECRET_FILE={secret}\nMETA_VERIFY_TOKEN=from .env\n")
        set_environment(
            monkeypatch,
            META_APP_SECRET="from the environment",
            META_VERIFY_TOKEN="",
            META_VERIFY_TOKEN_FILE=str(secret),
        )
        settings = GatewaySettings.from_environment()

        assert settings.meta_app_secret == "from the environment"
        assert settings.meta_verify_token.get_secret_value() == "from a file"

    def test_that_cannot_be_used_are_named_together_with_all_else(
        self, monkeypatch: pytest.MonkeyPatch, secret: Path, tmp_path: Path
    ) -> None:
        empty = tmp_path / "empty"
        empty.touch()
        set_environment(
            monkeypatch,
            DJANGO_SECRET_KEY="",
            DJANGO_SECRET_KEY_FILE="/no/such/file",
            META_APP_SECRET="",
            META_APP_SECRET_FILE=str(empty),
            META_ACCESS_TOKEN_FILE=str(secret),
            TIME_ZONE="Mars/Base",
        )

        with pytest.raises(ConfigurationError) as caught:
            GatewaySettings.from_environment()

        problems = caught.value.problems
        assert set(problems) == {
            "DJANGO_SECRET_KEY",
            "META_APP_SECRET",
            "META_ACCESS_TOKEN",
            "TIME_ZONE",
        }
        assert (
            "the file /no/such/file, which DJANGO_SECRET_KEY_FILE names, cannot be read: No such"
            in problems["DJANGO_SECRET_KEY"]
        )
        assert "is empty" in problems["META_APP_SECRET"]
        assert "given twice" in problems["META_ACCESS_TOKEN"]
        assert problems["TIME_ZONE"] == "must be a zone such as America/Bogota"

    def test_are_one_line_of_text_with_or_without_the_marks_of_windows(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file, pipe = tmp_path / "secret", tmp_path / "pipe"
        file.write_bytes(b"\xef\xbb\xbftoken\r\n")
        os.mkfifo(pipe)
        set_environment(monkeypatch, META_ACCESS_TOKEN="", META_ACCESS_TOKEN_FILE=str(file))

        assert Settings.from_environment().meta_access_token.get_secret_value() == "token"
        for content, words in (
            (b"token\nanother", "has more than one line"),
            (b"\xff\xfe", "cannot be read: it is not text"),
            (b"x" * 100_000, "has more than 65,536 bytes"),
        ):
            file.write_bytes(content)
            with pytest.raises(ConfigurationError, match=words):
                Settings.from_environment()
        monkeypatch.setenv("META_ACCESS_TOKEN_FILE", str(pipe))
        with pytest.raises(ConfigurationError, match="is a folder or a device"):
            Settings.from_environment()

    def test_hold_the_password_of_a_database(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        file = tmp_path / "password"
        file.write_text("p/ss@word:1\n")
        address = "postgres://raffle@db:5432/raffle?sslmode=require"
        set_environment(monkeypatch, DATABASE_URL=address, DATABASE_PASSWORD_FILE=str(file))

        url = Settings.from_environment().resolved_database_url

        assert url == "postgres://raffle:p%2Fss%40word%3A1@db:5432/raffle?sslmode=require"
        assert build_database_settings(url)["PASSWORD"] == "p/ss@word:1"

        set_environment(monkeypatch, DATABASE_URL="postgres://raffle:other@db/raffle")
        with pytest.raises(ConfigurationError, match=r"DATABASE_PASSWORD: .*given twice"):
            Settings.from_environment()
