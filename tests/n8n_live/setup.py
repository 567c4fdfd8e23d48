"""Setup of n8n as README.md describes it: token, endpoints, credentials, workflows."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from deploy import child_processes
from deploy.child_processes import LOOPBACK_HOST
from deploy.demo.services import RunningDemo
from tests.n8n_live.engine import N8nEngine

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "n8n"
CREDENTIALS_TEMPLATE: Final = FOLDER / "credentials.example.json"
WORKFLOWS_FOLDER: Final = FOLDER / "workflows"

TRANSFERS_WORKFLOW_ID: Final = "raffleTransfers01"
PROOFS_WORKFLOW_ID: Final = "raffleProofs01"
SUMMARY_WORKFLOW_ID: Final = "raffleSummary01"
EVENTS_WORKFLOW_ID: Final = "raffleEvents01"
DRAWS_WORKFLOW_ID: Final = "raffleDraws01"

SELLER_EMAIL: Final = "seller@example.org"
SENDER_EMAIL: Final = "raffles@example.org"
FIXED_HEADER_VALUE: Final = "a value that only both know"

_WEBHOOKS: Final[Mapping[str, tuple[str, list[str]]]] = {
    PROOFS_WORKFLOW_ID: ("raffle-proof", ["order.proof_received"]),
    EVENTS_WORKFLOW_ID: ("raffle-events", []),
}
"""Path of the webhook and wanted event types (none means all) by workflow."""


def open_api_client(opened: RunningDemo) -> httpx.Client:
    """Return an API client with the demo's token."""
    return httpx.Client(
        base_url=f"{opened.backoffice_url}/api",
        headers={"Authorization": f"Bearer {opened.seeded.token}"},
        trust_env=False,
        timeout=30,
    )


def create_token(opened: RunningDemo, *, name: str, scope: str) -> str:
    """Create a token for n8n, as an operator does."""
    command = [sys.executable, "-m", "backoffice.manage", "api_token", "create", name]
    said = child_processes.run_command(
        [*command, "--scope", scope], environment=opened.environment, timeout=60
    )
    return said.strip()


def create_endpoints(client: httpx.Client, *, n8n: str) -> dict[str, str]:
    """Create the endpoints of the listening workflows and return their signing secrets."""
    secrets = {}
    for workflow, (path, types) in _WEBHOOKS.items():
        wanted = {"name": path, "url": f"{n8n}/webhook/{path}", "types": types}
        made = client.post("/endpoints", json=wanted).raise_for_status().json()
        secrets[workflow] = made["secret"]
    return secrets


def import_credentials(
    engine: N8nEngine,
    *,
    token: str,
    draw_token: str,
    secrets: Mapping[str, str],
    smtp_port: int,
) -> None:
    """Fill in the template of the credentials, import it and delete the copy."""
    filled: Mapping[str, Mapping[str, Any]] = {
        "raffleApiHeader01": {"value": f"Bearer {token}"},
        "raffleDrawHeader01": {"value": f"Bearer {draw_token}"},
        "raffleProofSecret": {"hmacSecret": secrets[PROOFS_WORKFLOW_ID]},
        "raffleEventSecret": {"hmacSecret": secrets[EVENTS_WORKFLOW_ID]},
        "raffleFixedHeader": {"value": FIXED_HEADER_VALUE},
        "raffleMail01": {
            "host": LOOPBACK_HOST,
            "port": smtp_port,
            "secure": False,
            "disableStartTls": True,
        },
    }
    found = json.loads(CREDENTIALS_TEMPLATE.read_text())
    for credential in found:
        credential["data"] |= filled[credential["id"]]
    file = engine.folder / "credentials.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(found))
    try:
        engine.run("import:credentials", f"--input={file}")
    finally:
        file.unlink()


def import_workflows(
    engine: N8nEngine, *, public_url: str, rows: Sequence[Mapping[str, str]] | None = None
) -> None:
    """Import the workflows with the values that a person types into their Settings nodes.

    Args:
        engine: n8n to import into.
        public_url: URL of the back office.
        rows: rows of a bank statement; if given, import only the workflow that reads them.

    """
    typed = {"public_url": public_url, "seller_email": SELLER_EMAIL, "sender_email": SENDER_EMAIL}
    for file in WORKFLOWS_FOLDER.glob("*.json"):
        workflow = json.loads(file.read_text())
        if rows is not None and workflow["id"] != TRANSFERS_WORKFLOW_ID:
            continue
        nodes = {node["name"]: node["parameters"] for node in workflow["nodes"]}
        for field in nodes["Settings"]["assignments"]["assignments"]:
            field["value"] = typed.get(field["name"], field["value"])
        if rows is not None:
            nodes["Bank statement"]["jsonOutput"] = json.dumps({"rows": rows})
        copy = engine.folder / file.name
        copy.write_text(json.dumps(workflow))
        engine.run("import:workflow", f"--input={copy}")
