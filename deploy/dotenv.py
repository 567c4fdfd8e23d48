"""The files that carry the environment: `.env.example`, fresh secrets, and reading one back."""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from shared.core.config import GatewaySettings, Settings

HEADING: Final = """\
# The environment of the gateway and the back office. Copy it to .env and fill it in;
# a variable set in the environment itself goes first. An empty line counts as not set.
# `uv run rafflebot secrets` makes the two secrets, `uv run rafflebot doctor` checks the rest.
# Written by `uv run python -m deploy.dotenv > .env.example` from shared/core/config.py.
"""


def example() -> str:
    """Write `.env.example`: every variable, its one line, and its default or that it is needed."""
    parts = [_entry(name, field) for name, field in Settings.model_fields.items()]
    return HEADING + "\n" + "\n".join(parts)


def _entry(name: str, field: FieldInfo) -> str:
    variable = name.upper()
    if field.is_required() or GatewaySettings.model_fields[name].is_required():
        return f"# {field.description} (required)\n{variable}=\n"
    default = _written(field.default)
    if not default:
        return f"# {field.description} (default: none)\n{variable}=\n"
    return f"# {field.description} (default: {default})\n#{variable}={default}\n"


def _written(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).lower() if isinstance(default, bool) else str(default)


def fresh_secrets() -> dict[str, str]:
    """Make the two secrets that are ours to choose."""
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "META_VERIFY_TOKEN": secrets.token_urlsafe(24),
    }


def write(path: Path, variables: Mapping[str, str]) -> None:
    """Write an environment file that only its owner may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{name}={_quoted(value)}\n" for name, value in variables.items()))


def read(path: Path) -> dict[str, str]:
    """Read a file that `write` wrote; one that is not there holds nothing."""
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: _unquoted(value) for name, _, value in pairs if value}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1])


if __name__ == "__main__":
    print(example(), end="")
