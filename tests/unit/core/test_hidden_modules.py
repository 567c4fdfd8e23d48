"""Tests of imports without what a library loads only if it finds it."""

import sys
from pathlib import Path

import pytest

from shared.core.hidden_modules import hide_modules

WORDS = """
try:
    import optional_colours
except ImportError:
    optional_colours = None
"""


@pytest.fixture(autouse=True)
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "optional_colours.py").write_text("")
    (tmp_path / "printing_library.py").write_text(WORDS)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("optional_colours", "printing_library"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_hidden_module_is_not_found_until_the_end_of_the_block() -> None:
    with hide_modules("optional_colours"):
        import printing_library  # type: ignore[import-not-found]

    assert printing_library.optional_colours is None
    import optional_colours  # type: ignore[import-not-found]

    assert sys.modules["optional_colours"] is optional_colours


def test_one_that_is_loaded_stays() -> None:
    import optional_colours

    with hide_modules("optional_colours"):
        import printing_library

    assert printing_library.optional_colours is optional_colours


def test_an_error_ends_the_hiding() -> None:
    with pytest.raises(ZeroDivisionError), hide_modules("optional_colours"):
        _ = 1 / 0

    assert "optional_colours" not in sys.modules
