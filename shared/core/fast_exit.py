"""An exit that does not search for garbage."""

import atexit
import gc


def skip_garbage_at_exit() -> None:
    """Let this process end without the collections of garbage that an interpreter's exit makes.

    With all of Django loaded they take 0.1 to 0.25 s, a quarter of a short command, and free only
    memory that the operating system is about to take back.

    Source: `gc.freeze` in https://docs.python.org/3/library/gc.html.
    """
    atexit.register(gc.freeze)
