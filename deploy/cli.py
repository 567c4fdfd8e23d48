"""The `rafflebot` command, for newcomers and operators."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from shared.core.version import get_program_version

# Each command imports its modules when it runs, so that `--help` does not wait for Django.
# ruff: noqa: PLC0415

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Sell raffle tickets over WhatsApp: try it at home, check it, take it live.",
)


def _print_version(asked: bool) -> None:
    if asked:
        print(get_program_version())
        raise typer.Exit


@app.callback()
def set_up(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options before a command."""


@app.command()
def demo(
    *,
    script: Annotated[
        bool,
        typer.Option(
            "--script",
            help="Play two purchases and the draw in a temporary folder, then end.",
        ),
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where the demo keeps its data; var/ by default.")
    ] = None,
) -> None:
    """Start a sample raffle with a stand-in for Meta, and a phone to buy a ticket with."""
    from deploy.demo import interactive
    from deploy.demo import script as demo_script

    _exit_on_signals()
    if script:
        raise typer.Exit(demo_script.run_script(_build_console()))
    raise typer.Exit(interactive.run_demo(_build_console(), folder=folder))


@app.command()
def doctor(
    *, machine: Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")] = False
) -> None:
    """Check configuration, database, raffle and Meta; name the next step on the way to live."""
    from deploy import doctor as checks

    raise typer.Exit(checks.run_doctor(_build_console(), machine=machine))


@app.command()
def upgrade(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what it will do; exits with 3 if it is due.")
    ] = False,
    machine: Annotated[
        bool, typer.Option("--json", help="With --check: print JSON, for a program.")
    ] = False,
    backup: Annotated[
        Path | None, typer.Option(help="Write a backup into this file first.")
    ] = None,
    confirmed: Annotated[
        bool, typer.Option("--yes", help="There is a backup already: do not ask.")
    ] = False,
) -> None:
    """Bring database and static files to this version, and complete what a former one wrote."""
    from deploy import upgrade as upgrades

    console = _build_console()
    if check:
        raise typer.Exit(upgrades.run_check(console, machine=machine))
    raise typer.Exit(upgrades.run_upgrade(console, backup=backup, confirmed=confirmed))


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    gateway_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the gateway.")
    ] = 8080,
    backoffice_port: Annotated[
        int, typer.Option(min=1, max=65_535, help="Port of the back office.")
    ] = 8000,
) -> None:
    """Run gateway and back office together on this machine; if one ends, so does the other."""
    from deploy import serve as server

    raise typer.Exit(
        server.run_server(
            _build_console(),
            host=host,
            gateway_port=gateway_port,
            backoffice_port=backoffice_port,
        )
    )


@app.command()
def secrets() -> None:
    """Print fresh secrets for a .env: `rafflebot secrets >> .env`."""
    from deploy import dotenv

    for name, value in dotenv.generate_secrets().items():
        print(f"{name}={value}")


def _build_console() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def _exit_on_signals() -> None:
    def leave(number: int, _: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr] # the encoding may lack a mark
    app()
