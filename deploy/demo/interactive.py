"""`rafflebot demo`: running services, a panel with addresses and login, and a buyer's phone."""

import shlex
from pathlib import Path
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.rule import Rule
from rich.text import Text

from deploy.child_processes import CommandFailed, ProcessFailed
from deploy.demo import services
from deploy.demo.environment import (
    DemoAlreadyRunning,
    DemoFolder,
    DemoFolderUnusable,
    find_demo_ports,
)
from deploy.demo.services import RunningDemo
from deploy.exit_codes import INTERRUPTED_EXIT_CODE, UNUSABLE_FOLDER_EXIT_CODE
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.phone.terminal import TerminalPhone
from shared.core.config import PROJECT_ROOT

PREFERRED_PORTS: Final = (8090, 8080, 8000)
"""Ports of the stand-in, the gateway and the back office, unless they are taken."""

MAX_LINE_CHARACTERS: Final = 1_000
"""Characters of the longest line that is printed for copying."""


def run_demo(console: Console, *, folder: Path | None) -> int:
    """Run a demo until the user quits; the next one continues with its data.

    Args:
        console: shows the panel and the phone.
        folder: the folder for the demo's data; `var/` of the project by default.

    Returns:
        The exit code.

    """
    demo_folder = DemoFolder((folder or PROJECT_ROOT / "var").resolve())
    report = services.build_progress_printer(console)
    try:
        demo_folder.check_usable()
        with (
            demo_folder.lock(),
            services.run_demo_services(
                demo_folder, ports=find_demo_ports(*PREFERRED_PORTS), report=report
            ) as demo,
        ):
            _open_phone(console, demo)
    except KeyboardInterrupt:
        report("stopped while starting")
        return INTERRUPTED_EXIT_CODE
    except DemoFolderUnusable as error:
        console.print(Text(str(error), "red"))
        return UNUSABLE_FOLDER_EXIT_CODE
    except (DemoAlreadyRunning, CommandFailed, ProcessFailed) as error:
        console.print(Text(str(error), "red"))
        return 1
    console.print(Text("The next `rafflebot demo` goes on from here.", "dim"))
    return 0


def _open_phone(console: Console, demo: RunningDemo) -> None:
    with SandboxClient(demo.sandbox_url) as sandbox:
        # unlike the gateway, it does not know when the buyers of an earlier demo wrote
        sandbox.settings(window="off")
        info = build_access_text(demo)
        console.print(info, crop=False)
        try:
            TerminalPhone(
                sandbox=sandbox,
                console=console,
                info=info,
                after_receipt=lambda code: build_seller_text(demo, code=code),
            ).run_commands()
        except KeyboardInterrupt:
            console.print()  # end the line of the prompt


class TextToCopy:
    """Prose, and lines that only the terminal wraps, so that what is copied from it is whole.

    It must be printed with `crop=False`.
    """

    def __init__(self, *parts: Text | Rule | str) -> None:
        """Take a string as a line to copy, and everything else as prose."""
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render each part; a line to copy is neither wrapped nor cut nor padded."""
        wide = options.update(width=MAX_LINE_CHARACTERS, no_wrap=True, overflow="ignore")
        for part in self._parts:
            if isinstance(part, str):
                yield from console.render(Text(part), wide)
            else:
                yield from console.render(part, options)


def build_access_text(demo: RunningDemo) -> TextToCopy:
    """Return addresses, login and the first commands for the API."""
    facts = {
        "Raffle": demo.seeded.raffle,
        "Back office": f"{demo.backoffice_url}/admin/",
        "Login": f"{demo.username}  {demo.password}",
        "Draw it": f"{demo.backoffice_url}/admin/draws/",
        "Logs": str(demo.folder.logs_folder),
        "Check it": f"uv run --env-file {shlex.quote(str(demo.folder.env_file))} rafflebot doctor",
    }
    return TextToCopy(
        Rule("A raffle to try"),
        *(f"{name:<13}{value}" for name, value in facts.items()),
        Text("The API: paste this into another terminal, then any curl of docs/api.md.", "bold"),
        f"export PUBLIC_URL={demo.backoffice_url}",
        f"export TOKEN={demo.seeded.token}",
        'curl -H "Authorization: Bearer $TOKEN" "$PUBLIC_URL/api/orders"',
        Rule(),
    )


def build_seller_text(demo: RunningDemo, *, code: str) -> TextToCopy:
    """Return what the seller does with a receipt, and where.

    Args:
        demo: the running demo.
        code: the code of the order that the receipt is for.

    """
    return TextToCopy(
        Text("Now be the seller: look at the receipt and confirm the payment.", "bold"),
        f"  Browser: {demo.backoffice_url}/admin/queue/",
        f"  Login:   {demo.username}  {demo.password}",
        Text("Or over the API, with the two exports of /info:"),
        f'  curl -X POST "$PUBLIC_URL/api/orders/{code}/confirm-payment" \\',
        '    -H "Authorization: Bearer $TOKEN"',
        Text("The bot then tells the buyer, here.", "dim"),
    )
