"""Tests of gunicorn's settings for the back office."""

import runpy

import pytest

from deploy.server_commands import GUNICORN_SETTINGS

DEFAULTS = {
    "BACKOFFICE_BIND": ("bind", "127.0.0.1:8000"),
    "WEB_CONCURRENCY": ("workers", 2),
    "BACKOFFICE_THREADS": ("threads", 4),
    "FORWARDED_ALLOW_IPS": ("forwarded_allow_ips", "127.0.0.1,::1"),
}


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS:
        monkeypatch.setenv(name, "")

    settings = runpy.run_path(str(GUNICORN_SETTINGS))

    assert {name: settings[name] for name, _ in DEFAULTS.values()} == dict(DEFAULTS.values())
