from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from backoffice.staticfiles import StaticFilesStorage


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Path]:
    """Return a folder of static files as `collectstatic` leaves it."""
    (tmp_path / "app.css").write_text("a{}")
    (tmp_path / "staticfiles.json").write_text(
        '{"version": "1.1", "paths": {"app.css": "app.0123456789ab.css"}}'
    )
    with override_settings(STATIC_ROOT=tmp_path, DEBUG=False):
        yield tmp_path


def test_a_collected_file_has_its_hashed_name_and_another_its_own(collected: Path) -> None:
    storage = StaticFilesStorage()

    for _ in range(2):
        assert storage.url("app.css") == "/static/app.0123456789ab.css"
        assert storage.url("nowhere.css") == "/static/nowhere.css"


def test_a_name_is_looked_up_once(collected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = StaticFilesStorage()
    before = [storage.url("app.css"), storage.url("nowhere.css")]

    monkeypatch.setattr(storage, "hashed_files", {})
    (collected / "nowhere.css").write_text("b{}")

    assert [storage.url("app.css"), storage.url("nowhere.css")] == before
