"""A real n8n in a folder of its own: its command line, and its server on loopback."""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy import child_processes
from deploy.child_processes import LOOPBACK_HOST, ChildProcesses, CommandFailed

COMMAND_TIMEOUT_SECONDS: Final = 240.0
"""Seconds a command may take; the first one makes the tables."""
START_TIMEOUT_SECONDS: Final = 240.0
"""Seconds until the server answers; it is large, and machines are busy."""


@dataclass(frozen=True)
class N8nInstallation:
    """Where n8n and a Node that can run it were installed."""

    node: Path
    program: Path

    @property
    def command(self) -> list[str]:
        """How the command line of n8n begins."""
        return [str(self.node), str(self.program)]


@dataclass(frozen=True)
class N8nEngine:
    """An n8n with a database of its own, which nothing else on the machine knows of."""

    installed: N8nInstallation
    folder: Path
    port: int
    broker_ports: tuple[int, int]
    """Where the server and the command line listen for those who run code nodes."""
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def address(self) -> str:
        """Where its webhooks are."""
        return f"http://{LOOPBACK_HOST}:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run a command of n8n to its end and give what it wrote.

        Raises:
            CommandFailed: with its error output.

        """
        return child_processes.run_command(
            [*self.installed.command, *arguments],
            environment=self._environment(broker_port=self.broker_ports[1]),
            timeout=COMMAND_TIMEOUT_SECONDS,
        )

    def executed(self, workflow: str) -> dict[str, list[dict[str, Any]]]:
        """Run a workflow that starts by hand or by the clock; give what left each of its nodes.

        Raises:
            CommandFailed: it ended with an error.

        """
        said = self.run("execute", f"--id={workflow}", "--rawOutput")
        begins = re.search(r"^\{", said, re.MULTILINE)  # n8n logs to the same output
        if begins is None:
            raise CommandFailed(f"{workflow} said nothing of what it did:\n{said}")
        done, _ = json.JSONDecoder().raw_decode(said, begins.start())
        ran = done["data"]["resultData"]["runData"]
        return {name: _list_items(runs) for name, runs in ran.items()}

    @contextmanager
    def serving(self, *, logs: Path) -> Iterator[None]:
        """Run the server, which listens for what was published, as long as the `with` lasts.

        Raises:
            ProcessFailed: it did not start; the message says what it wrote.

        """
        variables = self._environment(broker_port=self.broker_ports[0])
        with ChildProcesses(environment=variables, logs=logs) as children:
            child = children.start("n8n", *self.installed.command, "start")
            children.wait_until_ready(
                child, f"{self.address}/healthz/readiness", timeout=START_TIMEOUT_SECONDS
            )
            yield

    def _environment(self, *, broker_port: int) -> Mapping[str, str]:
        """Give every variable: nothing of another n8n's on this machine reaches this one."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("N8N_", "DB_", "WEBHOOK_", "EXECUTIONS_", "QUEUE_", "DJANGO_"))
        }
        return inherited | {
            "PATH": f"{self.installed.node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "N8N_USER_FOLDER": str(self.folder),
            "N8N_ENCRYPTION_KEY": self.key,
            "N8N_LISTEN_ADDRESS": LOOPBACK_HOST,
            "N8N_PORT": str(self.port),
            "N8N_RUNNERS_BROKER_PORT": str(broker_port),
            "WEBHOOK_URL": f"{self.address}/",
            "GENERIC_TIMEZONE": "UTC",
            "N8N_DIAGNOSTICS_ENABLED": "false",
            "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
            "N8N_TEMPLATES_ENABLED": "false",
            "N8N_PERSONALIZATION_ENABLED": "false",
        }


def _list_items(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the items that left a node, in all its runs and by whichever output."""
    outputs = (output for run in runs for output in run.get("data", {}).get("main", []))
    return [item["json"] for output in outputs for item in output or []]
