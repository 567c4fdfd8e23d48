"""Command line of the trial: `python -m tests.n8n_live`, called by `deploy/n8n/try.sh`."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from tests.n8n_live import trial
from tests.n8n_live.engine import N8nInstallation


def main(
    node: Annotated[Path, typer.Option(help="Node 24 or newer.")],
    n8n: Annotated[Path, typer.Option(help="n8n's `bin/n8n`.")],
) -> None:
    """Let a real n8n work with a real back office; exits 0 only if all went as it should."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_on_signal)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    raise typer.Exit(trial.run_trial(N8nInstallation(node=node, program=n8n), console=console))


def _exit_on_signal(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    typer.run(main)
