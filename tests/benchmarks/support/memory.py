"""Peak of this process's memory, from Linux."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/status")
_CLEAR_REFS: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"
"""See proc_pid_clear_refs(5)."""


def measure_peak(act: Callable[[], object]) -> float:
    """Return by how many MiB the memory of this process grew at most while `act` ran."""
    before = _read("VmRSS")
    _CLEAR_REFS.write_text(_RESET_PEAK)
    act()
    return max(_read("VmHWM") - before, 0)


def _read(name: str) -> float:
    """Return a figure of this process in MiB."""
    match = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1]) / 1024
