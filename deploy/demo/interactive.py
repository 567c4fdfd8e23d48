"""`rafflebot demo`: running services, a panel with addresses and login, and a buyer's phone."""

from pathlib import Path
from typing import Final

from rich.box import HORIZONTALS
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deploy.child_processes import CommandFailed, ProcessFailed
from deploy.demo import services
from deploy.demo.environment import DemoAlreadyRunning, DemoFolder, find_demo_ports
from deploy.demo.services import INTERRUPTED_EXIT_CODE, RunningDemo
from deploy.sandbox.client import SandboxClient
from deploy.sandbox.phone.terminal import TerminalPhone
from shared.core.config import PROJECT_ROOT

PREFERRED_PORTS: Final = (8090, 8080, 8000)
"""Ports of the stand-in, the gateway and the back office, unless they are taken."""


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
    except (DemoAlreadyRunning, CommandFailed, ProcessFailed) as error:
        console.print(Text(str(error), "red"))
        return 1
    console.print(Text("The next `rafflebot demo` goes on from here.", "dim"))
    return 0


def _open_phone(console: Console, demo: RunningDemo) -> None:
    with SandboxClient(demo.sandbox_url) as sandbox:
        # unlike the gateway, it does not know when the buyers of an earlier demo wrote
        sandbox.settings(window="off")
        info = _build_access_panel(demo)
        console.print(info)
        try:
            TerminalPhone(sandbox=sandbox, console=console, info=info).run_commands()
        except KeyboardInterrupt:
            console.print()  # end the line of the prompt


def _build_access_panel(demo: RunningDemo) -> Panel:
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("Raffle", demo.seeded.raffle)
    facts.add_row("Back office", f"{demo.backoffice_url}/admin/")
    facts.add_row("Login", f"{demo.username}  {demo.password}")
    facts.add_row("Logs", f"{demo.folder.logs_folder}/{{gateway,backoffice,meta}}.log")
    facts.add_row("Check it", f"uv run --env-file {demo.folder.env_file} rafflebot doctor")
    return Panel(
        Group(
            facts,
            Text("The API, for n8n and the like:", "bold"),
            Text(_build_curl_examples(demo)),
        ),
        box=HORIZONTALS,
        title="A raffle to try",
        padding=0,
    )


def _build_curl_examples(demo: RunningDemo) -> str:
    token = f"-H 'Authorization: Bearer {demo.seeded.token}'"
    orders = f"{demo.backoffice_url}/api/orders"
    return f"curl {token} \\\n  {orders}\ncurl {token} \\\n  -X POST {orders}/R-…/confirm-payment"
