"""Fixtures of the back office tests: static files and storage as in production."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, override_settings
from pytest_django import Settings

from shared.raffles.services import availability


@pytest.fixture(scope="package", autouse=True)
def no_static_files(run_folder: Path) -> Iterator[None]:
    """Skip the search for static files, which only the tests of pages need."""
    nowhere = run_folder / "nothing collected"
    with override_settings(WHITENOISE_USE_FINDERS=False, STATIC_ROOT=nowhere):
        yield


@pytest.fixture
def production(static_folder: Path, no_static_files: None, settings: Settings) -> None:
    """Serve hashed static files as in production; DEBUG is off in every test."""
    settings.STATIC_ROOT = static_folder
    settings.WHITENOISE_AUTOREFRESH = True  # looks for a file only when it is requested


@pytest.fixture(autouse=True)
def private_storage(files_folder: Path, settings: Settings) -> None:
    """Store the test's files in a temporary folder."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": files_folder / "media"},
        },
        "proofs": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": files_folder / "proofs", "base_url": None},
        },
        "renditions": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": files_folder / "renditions", "allow_overwrite": True},
        },
    }


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    """Clear what an earlier test in this process cached: counts, sums and review presence."""
    availability.clear_counts_cache()
    cache.clear()


@pytest.fixture
def owner(db: None, client: Client) -> Client:
    """Return the browser of a superuser."""
    client.force_login(User.objects.create_superuser("olga"))
    return client
