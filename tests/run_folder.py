"""The folder of a test run, with its databases: in memory if there is room."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

RUN_FOLDER: Final = "TEST_RUN_FOLDER"
"""Environment variable with the folder, for the workers."""

FOLDER_NAME: Final = "rafflebot-tests"
MEMORY_DISK: Final = Path("/dev/shm")
MEMORY_DISK_BYTES: Final = 4 << 30
"""Free space that the memory disk needs for the databases of a run."""


def create_run_folder() -> Path:
    """Create the folder of this run; its name has the number of this process."""
    _remove_left_folders()
    prefix = f"{FOLDER_NAME}-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_find_memory_disk()))
    folder.chmod(0o711)  # for PostgreSQL, and for tests that connect as another user
    os.environ[RUN_FOLDER] = str(folder)
    return folder


def remove_run_folder() -> None:
    """Remove the folder with all that is in it, if this run has one."""
    folder = os.environ.pop(RUN_FOLDER, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def run_once(folder: Path, name: str) -> Iterator[bool]:
    """Yield whether something must still be created, while all other workers wait.

    Args:
        folder: the folder from `run_folder`.
        name: identifies what is created.

    """
    done = folder / f"{name}.done"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def _remove_left_folders() -> None:
    """Free the memory of runs that were killed."""
    for folder in MEMORY_DISK.glob(f"{FOLDER_NAME}-*"):
        pid = folder.name.split("-")[2]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _find_memory_disk() -> Path | None:
    """Return the disk in memory if it has room; a database is copied five times as fast there."""
    with suppress(OSError):
        if shutil.disk_usage(MEMORY_DISK).free >= MEMORY_DISK_BYTES:
            return MEMORY_DISK
    return None
