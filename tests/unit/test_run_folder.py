import os
from pathlib import Path

import pytest

from tests import run_folder

NO_PROCESS = 2**22 + 1
"""Beyond the largest process id of Linux (proc_pid_max(5))."""


@pytest.fixture(autouse=True)
def memory_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use another disk, and keep the folder of this run."""
    monkeypatch.setattr(run_folder, "MEMORY_DISK", tmp_path)
    monkeypatch.setattr(run_folder, "MEMORY_DISK_BYTES", 0)
    monkeypatch.setenv(run_folder.RUN_FOLDER, "is restored afterwards")
    return tmp_path


def test_is_in_memory_and_is_removed(memory_disk: Path) -> None:
    folder = run_folder.create_run_folder()
    (folder / "database").mkdir()
    assert folder.parent == memory_disk
    assert os.environ[run_folder.RUN_FOLDER] == str(folder)

    run_folder.remove_run_folder()

    assert list(memory_disk.iterdir()) == []
    assert run_folder.RUN_FOLDER not in os.environ


def test_is_on_disk_without_room_in_memory(
    memory_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "MEMORY_DISK_BYTES", 2**63)

    folder = run_folder.create_run_folder()

    assert folder.is_dir()
    assert folder.parent != memory_disk
    run_folder.remove_run_folder()


def test_is_on_disk_where_no_disk_is_in_memory(
    memory_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "MEMORY_DISK", memory_disk / "nowhere")

    assert run_folder.create_run_folder().is_dir()
    run_folder.remove_run_folder()


def test_frees_what_killed_runs_left_and_nothing_of_others(memory_disk: Path) -> None:
    names = (f"rafflebot-tests-{NO_PROCESS}-a", f"rafflebot-tests-{os.getpid()}-b", "of-others-1-c")
    left, running, foreign = (memory_disk / name for name in names)
    for folder in (left, running, foreign):
        (folder / "postgres").mkdir(parents=True)

    run_folder.create_run_folder()

    assert (left.exists(), running.exists(), foreign.exists()) == (False, True, True)
