"""Tests of the Dockerfile and compose.yaml: their linters, and what both must agree on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.app import SHUTDOWN_TIMEOUT_SECONDS
from shared.core.config import PROJECT_ROOT
from shared.core.secret_files import SECRET_FIELDS, name_file_variable
from tests.conftest import skip_or_fail
from tests.containers import files

LONGEST_DRAIN = 60
"""Seconds that a gateway may drain at most before it stops."""

OURS = ("gateway", "backoffice", "migrate")
"""Services of the product's own image."""


def run_tool(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    beside_python = Path(sys.executable).with_name(name)
    program = str(beside_python) if beside_python.exists() else shutil.which(name)
    if program is None:
        skip_or_fail(f"{name} is not installed")
    return subprocess.run(
        [str(program), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


class TestLinters:
    def test_compose_yaml_satisfies_the_compose_specification(self) -> None:
        checked = run_tool(
            "check-jsonschema", "--builtin-schema=vendor.compose-spec", str(files.COMPOSE_FILE)
        )

        assert checked.returncode == 0, checked.stdout + checked.stderr

    def test_hadolint_has_nothing_to_say(self) -> None:
        checked = run_tool("hadolint", str(files.DOCKERFILE))

        assert checked.returncode == 0, checked.stdout + checked.stderr

    def test_caddy_accepts_its_file(self, tmp_path: Path) -> None:
        checked = run_tool(
            "caddy",
            *("validate", "--adapter", "caddyfile"),
            *("--config", str(files.DEPLOY / "caddy/compose.Caddyfile")),
            WEBHOOK_URL="https://hooks.raffles.example",
            PUBLIC_URL="https://raffles.example",
            XDG_DATA_HOME=str(tmp_path),
            XDG_CONFIG_HOME=str(tmp_path),
        )

        assert checked.returncode == 0, checked.stderr


class TestImage:
    def test_has_postgresqls_tools_of_the_version_of_its_server(self) -> None:
        server = re.fullmatch(r"postgres:(\d+)-(\w+)", read_service("database")["image"])
        assert server is not None

        majors = set(re.findall(r"postgresql(?:-client-|/)(\d+)", files.DOCKERFILE.read_text()))
        assert majors == {server[1]}
        final, *_ = files.read_stages()[-1]
        assert final.value.endswith(server[2]), "the same Debian"

    def test_is_built_without_what_a_checkout_may_hold_in_private(self) -> None:
        context = {path.name for path in files.list_build_context()}

        assert not context & {".env", ".git", "var", "secrets", "tests"}
        assert all(path.exists() for path in files.list_build_context())

    def test_runs_as_somebody_without_rights(self) -> None:
        [user] = [each.value for each in files.read_stages()[-1] if each.name == "USER"]

        assert int(user.partition(":")[0]) > 1000


class TestCompose:
    @pytest.mark.parametrize("name", OURS)
    def test_gives_our_containers_no_right_they_do_without(self, name: str) -> None:
        service = read_service(name)

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["tmpfs"] == ["/tmp"]

    @pytest.mark.parametrize("name", OURS)
    def test_gives_secrets_as_files_alone(self, name: str) -> None:
        service = read_service(name)
        variables = service["environment"]

        assert {field.upper() for field in SECRET_FIELDS} & set(variables) == {"DATABASE_URL"}
        assert ":" not in variables["DATABASE_URL"].partition("://")[2], "it has no password"
        named = {
            variables[variable].removeprefix("/run/secrets/")
            for variable in map(name_file_variable, SECRET_FIELDS)
            if variable in variables
        }
        assert named == set(service["secrets"]) == set(files.read_compose()["secrets"])

    @pytest.mark.parametrize("name", ["gateway", "backoffice"])
    def test_lets_a_service_run_several_times(self, name: str) -> None:
        assert not read_service(name).keys() & {"container_name", "ports", "hostname"}

    @pytest.mark.parametrize("name", ["gateway", "backoffice"])
    def test_waits_for_the_migrations_and_then_for_the_end_of_its_work(self, name: str) -> None:
        service = read_service(name)

        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace > LONGEST_DRAIN + SHUTDOWN_TIMEOUT_SECONDS

    def test_opens_no_port_but_caddys_and_keeps_the_database_inside(self) -> None:
        compose = files.read_compose()

        assert [name for name, service in compose["services"].items() if "ports" in service] == [
            "caddy"
        ]
        assert compose["networks"]["database"] == {"internal": True}
        assert read_service("database")["networks"] == ["database"]
        assert read_service("caddy")["networks"] == ["proxy"]

    def test_mounts_files_that_exist(self) -> None:
        binds = [
            volume.split(":")[0]
            for service in files.read_compose()["services"].values()
            for volume in service["volumes"]
            if volume.startswith(".")
        ]

        assert binds == ["./caddy/compose.Caddyfile"]
        assert all((files.DEPLOY / path).is_file() for path in binds)
        ignored = (PROJECT_ROOT / ".gitignore").read_text().splitlines()
        assert {"/secrets/", ".env"} <= set(ignored)


def read_service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = files.read_compose()["services"][name]
    return service
