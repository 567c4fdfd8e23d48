"""Environment files: `.env.example`, new secrets, writing and reading a file."""

import re
import secrets
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from shared.core.config import GatewaySettings, Settings
from shared.core.secret_files import SECRET_FIELDS

_SECRETS: Final = textwrap.indent(
    textwrap.fill(", ".join(sorted(SECRET_FIELDS)).upper() + ".", width=95), "# "
)
ENV_EXAMPLE_HEADING: Final = f"""\
# The environment of the gateway and the back office. Copy it to .env and fill it in;
# a variable set in the environment itself goes first. An empty line counts as not set.
# A secret can be in a file of its own: NAME_FILE=/path in place of NAME=value, with the names
{_SECRETS}
# `uv run rafflebot secrets` makes the two secrets, `uv run rafflebot doctor` checks the rest.
# Written by `uv run python -m deploy.dotenv > .env.example` from shared/core/config.py.
"""


def render_env_example() -> str:
    """Return the text of `.env.example`: each variable with its description and default."""
    parts = [_render_variable(name, field) for name, field in Settings.model_fields.items()]
    return ENV_EXAMPLE_HEADING + "\n" + "\n".join(parts)


def _render_variable(name: str, field: FieldInfo) -> str:
    variable = name.upper()
    if field.is_required() or GatewaySettings.model_fields[name].is_required():
        return f"# {field.description} (required)\n{variable}=\n"
    default = _format_default(field.default)
    if not default:
        return f"# {field.description} (default: none)\n{variable}=\n"
    return f"# {field.description} (default: {default})\n#{variable}={default}\n"


def _format_default(default: object) -> str:
    if default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).lower() if isinstance(default, bool) else str(default)


def generate_secrets() -> dict[str, str]:
    """Generate the two secrets that an installation chooses itself."""
    return {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "META_VERIFY_TOKEN": secrets.token_urlsafe(24),
    }


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write an environment file that only its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{name}={_quote_value(value)}\n" for name, value in variables.items()))


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file that `write_env_file` wrote; empty if there is no file."""
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: _unquote_value(value) for name, _, value in pairs if value}


def _quote_value(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _unquote_value(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1])


if __name__ == "__main__":
    print(render_env_example(), end="")
