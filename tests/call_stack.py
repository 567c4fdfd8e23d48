"""Room on Python's stack, so that calls do not ask the operating system for memory.

Python 3.12 keeps the frames of calls in chunks of 16 KiB. It asks for a chunk when a frame does not
fit, and returns it when that call ends. Where a loop's calls meet the end of a chunk, each of them
does both, and that took a twelfth of the processor time of the tests.

Source: `push_chunk` and `_PyThreadState_PopFrame` in
https://github.com/python/cpython/blob/3.12/Python/pystate.c.
"""

from collections.abc import Callable
from typing import Any, Final

LOCALS: Final = 17_000
"""Local variables of a frame of more than 128 KiB: its chunk has 256, and the rest is for others,
some six hundred calls."""


def call_with_room[T](function: Callable[[], T]) -> T:
    """Call a function below a frame that leaves it much room, and return what it returns."""
    assignments = "\n    ".join(f"_{number} = None" for number in range(LOCALS))
    names: dict[str, Any] = {}
    exec(f"def call(function):\n    return function()\n    {assignments}", names)
    result: T = names["call"](function)
    return result
