"""Wrapper of a command that ends when the process that started it ends.

`python -m deploy.die_with_parent PARENT COMMAND …`

A parent that is killed cannot stop its children. On Linux the kernel does that; on other systems
the command runs without this protection.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""From `linux/prctl.h`: the signal this process gets when its parent ends; survives `exec`."""


def set_parent_death_signal(*, parent: int) -> None:
    """Ask the kernel to end this process with its parent.

    Args:
        parent: process id of the parent.

    Raises:
        SystemExit: the parent has already ended.

    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the call above
            raise SystemExit(0)


def main() -> None:
    """Replace this process with the command: arguments are `PARENT COMMAND [ARGUMENT …]`."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    set_parent_death_signal(parent=parent)
    os.execvp(command[0], command)  # noqa: S606 - the command is ours, no shell is wanted


if __name__ == "__main__":
    main()
