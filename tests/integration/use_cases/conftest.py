"""Inventory checks after tests of the use cases, and storages of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from shared.raffles.models import PaymentProof
from shared.raffles.services.ticket_numbers import inventory


@pytest.fixture
def check_inventory_after(db: None) -> Iterator[None]:
    """Check after the test that the inventory has no problems."""
    yield
    assert inventory.find_inventory_problems() == []


@pytest.fixture
def private_storage(
    files_folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Store the test's payment proofs and renditions in a temporary folder."""
    settings.STORAGES = settings.STORAGES | {
        alias: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": files_folder / alias},
        }
        for alias in ("proofs", "renditions")
    }
    field = PaymentProof._meta.get_field("file")  # has had its storage since the model was loaded
    monkeypatch.setattr(field, "storage", storages["proofs"])
