"""Bytecode of installed packages for environments that a test installs."""

import shutil
from pathlib import Path

from shared.core.config import PROJECT_ROOT


def copy_bytecode(environment: Path) -> None:
    """Give the packages of a virtual environment the bytecode of those of this checkout.

    uv has linked the same files, so Python takes it; compiling them again costs 10 s.
    """
    ours = PROJECT_ROOT / ".venv"
    for cache in ours.glob("lib/python*/site-packages/**/__pycache__"):
        target = environment / cache.relative_to(ours)
        if target.parent.is_dir():
            shutil.copytree(cache, target, dirs_exist_ok=True)
