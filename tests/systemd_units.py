"""The units in `deploy/systemd` as commands that run on this machine."""

import configparser
import shlex
import sys
from pathlib import Path
from typing import Final

from shared.core.config import PROJECT_ROOT

UNITS_FOLDER: Final = PROJECT_ROOT / "deploy/systemd"
APP_FOLDER: Final = "/srv/raffle/app"
DATA_FOLDER: Final = "/srv/raffle/data"


def read_command(
    unit: str, *, key: str = "ExecStart", instance: str = "", data: Path | None = None
) -> list[str]:
    """Return a command of a unit, with the paths of this machine.

    Args:
        unit: name of the file, such as `raffle-gateway@.service`.
        key: the setting of the section `[Service]`.
        instance: what stands for `%i`.
        data: the folder for data, if it is not to stay as it is.

    """
    line = read_setting(unit, key=key)
    for written, meant in (("%i", instance), ("%%", "%"), ("$$", "$")):
        line = line.replace(written, meant)
    return shlex.split(use_local_paths(line, data=data))


def read_setting(unit: str, *, key: str) -> str:
    """Return the text of a setting in the section `[Service]`."""
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys are case-sensitive
    parser.read(UNITS_FOLDER / unit)
    return parser["Service"][key]


def use_local_paths(text: str, *, data: Path | None = None) -> str:
    """Replace the paths of an installation by those of this machine.

    Args:
        text: a unit or a command.
        data: the folder for data, if it is not to stay as it is.

    """
    text = text.replace(f"{APP_FOLDER}/.venv/bin", str(Path(sys.executable).parent))
    text = text.replace(APP_FOLDER, str(PROJECT_ROOT))
    return text if data is None else text.replace(DATA_FOLDER, str(data))
