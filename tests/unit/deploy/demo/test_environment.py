"""Tests of the demo's folder and environment."""

from pathlib import Path

import pytest

from deploy.demo.environment import (
    DemoAlreadyRunning,
    DemoFolder,
    DemoPorts,
    build_child_environment,
)
from shared.core.config import GatewaySettings, Settings

PORTS = DemoPorts(meta=8090, gateway=8080, backoffice=8000)


class TestPrepare:
    def test_sets_every_variable_so_that_nothing_of_a_real_installation_reaches_a_demo(
        self, tmp_path: Path
    ) -> None:
        variables = DemoFolder(tmp_path / "var").prepare_environment(PORTS)

        assert {name.lower() for name in variables} == set(Settings.model_fields)
        assert all(variables.values()), "an empty variable falls back to .env"

    def test_is_a_configuration_the_gateway_takes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in DemoFolder(tmp_path / "var").prepare_environment(PORTS).items():
            monkeypatch.setenv(name, value)

        settings = GatewaySettings.from_environment()

        assert settings.resolved_database_url == f"sqlite:///{tmp_path}/var/demo.sqlite3"
        assert settings.media_folder == tmp_path / "var" / "demo-media"
        assert not settings.sends_mail

    def test_a_second_demo_keeps_the_secrets_and_takes_the_new_ports(self, tmp_path: Path) -> None:
        home = DemoFolder(tmp_path)
        first = home.prepare_environment(PORTS)

        second = home.prepare_environment(DemoPorts(meta=1, gateway=2, backoffice=3))

        changed = {name for name in first if first[name] != second[name]}
        assert changed == {"PUBLIC_URL", "META_GRAPH_URL"}
        assert home.load_password() == DemoFolder(tmp_path).load_password()


class TestOccupied:
    def test_keeps_a_second_demo_out_until_the_first_ended(self, tmp_path: Path) -> None:
        with (
            DemoFolder(tmp_path).lock(),
            pytest.raises(DemoAlreadyRunning),
            DemoFolder(tmp_path).lock(),
        ):
            pass

        with DemoFolder(tmp_path).lock():
            pass


class TestEnvironment:
    def test_a_variable_of_the_demo_goes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("META_ACCESS_TOKEN", "real")
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "elsewhere.settings")

        child = build_child_environment({"META_ACCESS_TOKEN": "demo"})

        assert child["META_ACCESS_TOKEN"] == "demo"
        assert child["DJANGO_SETTINGS_MODULE"] == "backoffice.settings"
