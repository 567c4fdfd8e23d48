"""Imports of libraries without others that they use only if they find them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hide_modules(*names: str) -> Iterator[None]:
    """Make imports of top-level modules fail for a moment, unless they are loaded already.

    Args:
        names: their names; afterwards they can be imported as usual.

    Source: https://docs.python.org/3/reference/import.html, "The module cache".

    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type] # None: not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
