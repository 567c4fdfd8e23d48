"""A real n8n with its own folder: its command line and its server on loopback."""

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
"""Time limit of a command in seconds; the first command creates the tables."""
START_TIMEOUT_SECONDS: Final = 240.0
"""Time limit of the server's start in seconds; it is large and starts slowly."""


@dataclass(frozen=True)
class N8nInstallation:
    """Paths of n8n and of the Node that runs it."""

    node: Path
    program: Path

    @property
    def command(self) -> list[str]:
        """Return the first arguments of every n8n command."""
        return [str(self.node), str(self.program)]


@dataclass(frozen=True)
class N8nEngine:
    """An n8n with its own database, separate from any other n8n on the machine."""

    installed: N8nInstallation
    folder: Path
    port: int
    broker_ports: tuple[int, int]
    """Ports where the server and the command line listen for the runners of code nodes."""
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def address(self) -> str:
        """Return the base URL of the webhooks."""
        return f"http://{LOOPBACK_HOST}:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run an n8n command and return its output.

        Raises:
            CommandFailed: the command failed; the message has its error output.

        """
        return child_processes.run_command(
            [*self.installed.command, *arguments],
            environment=self._environment(broker_port=self.broker_ports[1]),
            timeout=COMMAND_TIMEOUT_SECONDS,
        )

    def execute_workflow(self, workflow: str) -> dict[str, list[dict[str, Any]]]:
        """Run a workflow with a manual or schedule trigger and return the items of each node.

        Raises:
            CommandFailed: the workflow ended with an error.

        """
        said = self.run("execute", f"--id={workflow}", "--rawOutput")
        begins = re.search(r"^\{", said, re.MULTILINE)  # n8n also logs to stdout
        if begins is None:
            raise CommandFailed(f"{workflow} said nothing of what it did:\n{said}")
        done, _ = json.JSONDecoder().raw_decode(said, begins.start())
        ran = done["data"]["resultData"]["runData"]
        return {name: _list_items(runs) for name, runs in ran.items()}

    @contextmanager
    def run_server(self, *, logs: Path) -> Iterator[None]:
        """Run the server with the published workflows until the block ends.

        Raises:
            ProcessFailed: the server did not start; the message has its log.

        """
        variables = self._environment(broker_port=self.broker_ports[0])
        with ChildProcesses(environment=variables, logs=logs) as children:
            child = children.start("n8n", *self.installed.command, "start")
            children.wait_until_ready(
                child, f"{self.address}/healthz/readiness", timeout=START_TIMEOUT_SECONDS
            )
            yield

    def _environment(self, *, broker_port: int) -> Mapping[str, str]:
        """Return the environment without the variables of another n8n on this machine."""
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
    """Return the items that left a node, from all runs and outputs."""
    outputs = (output for run in runs for output in run.get("data", {}).get("main", []))
    return [item["json"] for output in outputs for item in output or []]
