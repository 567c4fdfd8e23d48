"""Bytecode for environments that a test installs: compiling it again costs many seconds."""

import os
import shutil
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from shared.core.config import PROJECT_ROOT

PACKAGES: Final = ("shared", "gateway", "backoffice", "deploy")
_MTIME: Final = slice(8, 12)
_SIZE: Final = slice(12, 16)
"""Fields of a bytecode file: time and size of its source (PEP 552)."""


def copy_bytecode(environment: Path) -> None:
    """Give the packages of a virtual environment the bytecode of those of this checkout.

    uv has linked the same files, so Python takes it.
    """
    ours = PROJECT_ROOT / ".venv"
    for cache in ours.glob("lib/python*/site-packages/**/__pycache__"):
        target = environment / cache.relative_to(ours)
        if target.parent.is_dir():
            shutil.copytree(cache, target, dirs_exist_ok=True, copy_function=link_or_copy)


def copy_product_bytecode(folder: Path) -> None:
    """Give the product's packages in a folder the bytecode of those of this checkout.

    Python takes it if the time and size in it are those of the source.
    """
    for source in (path for name in PACKAGES for path in (PROJECT_ROOT / name).rglob("*.py")):
        target = folder / source.relative_to(PROJECT_ROOT)
        bytecode = Path(cache_from_source(str(source)))
        if not (target.exists() and bytecode.exists()):
            continue
        content = bytearray(bytecode.read_bytes())
        if _is_up_to_date(content, source) and target.read_bytes() == source.read_bytes():
            content[_MTIME] = _read_mtime(target)
            copied = Path(cache_from_source(str(target)))
            copied.parent.mkdir(exist_ok=True)
            copied.write_bytes(content)


def _is_up_to_date(content: bytearray, source: Path) -> bool:
    size = source.stat().st_size.to_bytes(4, "little")
    return content[_MTIME] == _read_mtime(source) and content[_SIZE] == size


def _read_mtime(file: Path) -> bytes:
    return int(file.stat().st_mtime).to_bytes(4, "little")


def link_or_copy(source: str, target: str) -> None:
    """Link a file that is not there; nobody writes into it: Python replaces old bytecode."""
    if Path(target).exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
