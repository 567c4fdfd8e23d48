"""The Dockerfile and compose.yaml as data."""

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from dockerfile_parse import DockerfileParser
from ruamel.yaml import YAML

from shared.core.config import PROJECT_ROOT

DEPLOY: Final = PROJECT_ROOT / "deploy"
COMPOSE_FILE: Final = DEPLOY / "compose.yaml"
DOCKERFILE: Final = DEPLOY / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """An instruction of the Dockerfile, with its continuation lines joined."""

    name: str
    value: str


@cache
def read_stages() -> tuple[tuple[Instruction, ...], ...]:
    """Return the instructions of each stage of the Dockerfile, `FROM` first."""
    stages: list[list[Instruction]] = []
    for each in DockerfileParser(path=str(DOCKERFILE)).structure:
        if each["instruction"] == "FROM":
            stages.append([])
        if each["instruction"] != "COMMENT":
            stages[-1].append(Instruction(each["instruction"], each["value"]))
    return tuple(map(tuple, stages))


def read_stage_environment(stage: int) -> dict[str, str]:
    """Return the variables that a stage sets."""
    lines = [each.value for each in read_stages()[stage] if each.name == "ENV"]
    return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))


def read_build_commands() -> list[str]:
    """Return the shell commands of the first stage, without the options of BuildKit."""
    runs = [each.value for each in read_stages()[0] if each.name == "RUN"]
    return [re.sub(r"^(--mount=\S+\s+)+", "", run) for run in runs]


def read_health_command() -> list[str]:
    """Return the command that checks the health of a container."""
    [value] = [each.value for each in read_stages()[-1] if each.name == "HEALTHCHECK"]
    command: list[str] = json.loads(value.partition("CMD")[2])
    return command


def list_build_context() -> list[Path]:
    """Return the files and folders that the build may copy."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in lines, "what is not named must not reach the image"
    return [PROJECT_ROOT / line.removeprefix("!") for line in lines if line.startswith("!")]


@cache
def read_compose() -> dict[str, Any]:
    """Return the content of compose.yaml."""
    content: dict[str, Any] = YAML(typ="safe").load(COMPOSE_FILE)
    return content
