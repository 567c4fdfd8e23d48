"""Start of the `rafflebot` command: Ctrl-C ends it without a traceback from the first moment on."""

import sys

from deploy.exit_codes import INTERRUPTED_EXIT_CODE
from shared.core.fast_exit import skip_garbage_at_exit


def main() -> None:
    """Import and run the command line; the import takes half a second."""
    skip_garbage_at_exit()
    try:
        from deploy import cli  # noqa: PLC0415 - inside `try`, since it is slow

        cli.main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT_CODE)
