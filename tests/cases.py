"""Tables of quick cases that one test walks, because a test of its own per case costs more."""

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pytest
from django.db import connection, transaction

from tests.conftest import skip_or_fail

type Test = Callable[..., None]

_SHORT_REPR: Final = reprlib.Repr(maxstring=70, maxother=70, maxdict=3, maxlevel=1)


def walk_cases(
    names: str | tuple[str, ...], cases: Iterable[Any] | Callable[[], Iterable[Any]]
) -> Callable[[Test], Test]:
    """Run the decorated test for every case, and report all cases that fail at the end.

    It is used like `pytest.mark.parametrize`, but makes one test of all cases. They share its
    fixtures, so it is for tests that change nothing outside themselves; see `roll_back`.

    Args:
        names: the parameters of the test that a case gives, as one name or several.
        cases: a value per case for one name, or as many values per case as there are names; or
            a function that returns them, which is called when the test runs: every worker imports
            every test.

    """
    names = (names,) if isinstance(names, str) else names
    kept = list(cases) if isinstance(cases, Iterable) else cases

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def walk(*args: Any, **fixtures: Any) -> None:
            rows = [
                dict(zip(names, case if len(names) > 1 else (case,), strict=True))
                for case in (kept if isinstance(kept, list) else kept())
            ]
            if not rows:
                skip_or_fail(f"cases of {test.__qualname__}")
            failures = [
                f"Case {number} of {len(rows)}: {_describe(row)}\n{failure}"
                for number, row in enumerate(rows, start=1)
                if (failure := _find_failure(functools.partial(test, *args, **fixtures, **row)))
            ]
            if failures:
                pytest.fail("\n\n".join(failures), pytrace=False)

        assert not inspect.iscoroutinefunction(test), f"nobody would await {test.__qualname__}"
        signature = inspect.signature(test)
        assert signature.parameters.keys() >= set(names), f"{test.__qualname__} takes no {names}"
        fixtures = [each for name, each in signature.parameters.items() if name not in names]
        walk.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return walk

    return decorate


def roll_back(test: Test) -> Test:
    """Undo what the decorated test writes to the database, so that each case finds it as it was."""

    @functools.wraps(test)
    def run(*args: Any, **fixtures: Any) -> None:
        block = transaction.atomic()
        block._from_testcase = True  # type: ignore[attr-defined]  # `durable=True` is allowed in it
        with block:
            test(*args, **fixtures)
            connection.check_constraints()
            transaction.set_rollback(True)

    return run


def _describe(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_SHORT_REPR.repr(value)}" for name, value in row.items())


def _find_failure(case: Callable[[], None]) -> str | None:
    """Return the traceback of a case that fails, as pytest prints it."""
    __tracebackhide__ = True
    try:
        case()
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - reported with the others
        if isinstance(error, pytest.fail.Exception) and not error.pytrace:
            return str(error)
        return str(pytest.ExceptionInfo.from_exception(error).getrepr(style="short"))
    return None
