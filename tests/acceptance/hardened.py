"""Wrapper of a command that may neither gain rights nor make memory executable.

`python -m tests.acceptance.hardened COMMAND …`

The kernel enforces here what `NoNewPrivileges` and `MemoryDenyWriteExecute` do in a unit of
systemd; children inherit both. A kernel before 6.3 ignores the second one.
"""

import ctypes
import os
import sys
from typing import Final

PR_SET_NO_NEW_PRIVS: Final = 38
PR_SET_MDWE: Final = 65
"""Both from `linux/prctl.h`; 1 turns each on."""


def main() -> None:
    """Give up the rights and replace this process with the command."""
    libc = ctypes.CDLL(None, use_errno=True)
    for option in (PR_SET_NO_NEW_PRIVS, PR_SET_MDWE):
        libc.prctl(option, 1, 0, 0, 0)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
