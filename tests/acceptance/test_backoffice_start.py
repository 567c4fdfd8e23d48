"""Tests of starting the back office: settings derived from its URL, and the first commands."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from pytest_django import DjangoDbBlocker

from deploy.child_processes import find_free_ports
from tests.acceptance.gunicorn_server import run_gunicorn
from tests.databases import DatabaseFactory

ROOT: Final = Path(__file__).resolve().parents[2]
SECRET: Final = "only-for-this-test-" + "x" * 40


def run_python(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python command in an empty folder, with only the given environment."""
    return subprocess.run(
        [sys.executable, *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def load_settings(folder: Path, public_url: str) -> dict[str, Any]:
    """Return the settings derived from a public URL."""
    names = [
        "ALLOWED_HOSTS",
        "CSRF_TRUSTED_ORIGINS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
        "SECURE_PROXY_SSL_HEADER",
        "DEBUG",
    ]
    code = f"import json; from backoffice import settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}))"  # noqa: E501
    done = run_python(folder, "-c", code, DJANGO_SECRET_KEY=SECRET, PUBLIC_URL=public_url)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TestConfiguration:
    def test_an_https_address_makes_cookies_secure(self, tmp_path: Path) -> None:
        found = load_settings(tmp_path, "https://raffles.example/")

        assert "raffles.example" in found["ALLOWED_HOSTS"]
        assert found["CSRF_TRUSTED_ORIGINS"] == ["https://raffles.example"]
        assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == (True, True)
        assert found["SECURE_HSTS_SECONDS"] == 86_400
        assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
        assert found["DEBUG"] is False

    def test_a_plain_address_trusts_no_header_and_keeps_cookies_usable(
        self, tmp_path: Path
    ) -> None:
        found = load_settings(tmp_path, "http://192.168.1.5:8000")

        assert found["ALLOWED_HOSTS"][0] == "192.168.1.5"
        assert found["CSRF_TRUSTED_ORIGINS"] == ["http://192.168.1.5:8000"]
        assert (found["SESSION_COOKIE_SECURE"], found["CSRF_COOKIE_SECURE"]) == (False, False)
        assert found["SECURE_HSTS_SECONDS"] == 0
        assert found["SECURE_PROXY_SSL_HEADER"] is None


class TestLogs:
    """gunicorn names the whole URL of what it refuses, which may hold a token."""

    @pytest.mark.parametrize(
        ("logger_class", "formats"),
        [
            ("backoffice.gunicorn_logging.GunicornLogger", {"json"}),
            ("gunicorn.glogging.Logger", {"json", "text"}),
        ],
    )
    def test_of_gunicorn_have_the_format_of_all_others(
        self,
        tmp_path: Path,
        run_folder: Path,
        django_db_blocker: DjangoDbBlocker,
        logger_class: str,
        formats: set[str],
    ) -> None:
        [port] = find_free_ports(0)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DJANGO_SECRET_KEY": SECRET,
            "LOG_FORMAT": "json",
        }
        with (
            django_db_blocker.unblock(),
            DatabaseFactory("sqlite", run_folder).fresh() as address,
            run_gunicorn(
                port,
                environment={**environment, "DATABASE_URL": address},
                folder=tmp_path,
                logger_class=logger_class,
            ),
            socket.create_connection(("127.0.0.1", port)) as connection,
        ):
            connection.sendall(b"GET /api/orders?token=s3cret HTTP/9.9\r\n\r\n")
            assert connection.recv(1024).startswith(b"HTTP/1.1 400")
        lines = (tmp_path / "gunicorn.log").read_text().splitlines()
        refusals = [line for line in lines if "Invalid request" in line]

        assert [json.loads(line)["logger"] for line in refusals] == ["gunicorn.error"]
        assert "s3cret" not in " ".join(lines)
        assert {"json" if line.startswith("{") else "text" for line in lines} == formats


class TestManage:
    def test_makes_a_login_and_a_token(
        self, tmp_path: Path, run_folder: Path, django_db_blocker: DjangoDbBlocker
    ) -> None:
        steps = """
from django.core.management import call_command as manage
manage("createsuperuser", interactive=False, username="olga", email="olga@example.com")
manage("api_token", "create", "n8n", "--scope", "review")
manage("check", deploy=True, databases=["default"], fail_level="ERROR")
"""
        with django_db_blocker.unblock(), DatabaseFactory("sqlite", run_folder).fresh() as address:
            done = run_python(
                tmp_path,
                *("-m", "backoffice.manage", "shell", "--verbosity=0", "--command", steps),
                DJANGO_SECRET_KEY=SECRET,
                DATABASE_URL=address,
                DJANGO_SUPERUSER_PASSWORD="correct-horse-battery",
            )

        assert done.returncode == 0, done.stderr
        assert re.search(r"^rtb_[\w-]{40}$", done.stdout, re.MULTILINE)
