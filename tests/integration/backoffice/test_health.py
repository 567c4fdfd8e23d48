"""Tests of the back office's health endpoints."""

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

pytestmark = pytest.mark.django_db


class TestHealth:
    def test_healthz_answers_without_a_login(self) -> None:
        answer = Client().get("/healthz")

        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_readyz_is_content_with_a_migrated_database(self) -> None:
        assert Client().get("/readyz").status_code == 200

    def test_readyz_names_migrations_that_are_not_applied(self) -> None:
        MigrationRecorder.Migration.objects.filter(app="raffles").delete()

        answer = Client().get("/readyz")

        assert answer.status_code == 503
        assert "not applied" in answer.json()["problems"][0]

    def test_they_only_answer_to_reading(self) -> None:
        assert Client().post("/healthz").status_code == 405
