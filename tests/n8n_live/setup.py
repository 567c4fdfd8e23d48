"""Sets n8n up as README.md tells a person to: token, endpoints, credentials, workflows."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from deploy import child_processes
from deploy.child_processes import HOST
from deploy.demo.services import House
from tests.n8n_live.engine import Engine

FOLDER: Final = Path(__file__).resolve().parents[2] / "deploy" / "n8n"
TEMPLATE: Final = FOLDER / "credentials.example.json"
WORKFLOWS: Final = FOLDER / "workflows"

TRANSFERS: Final = "raffleTransfers01"
ASK: Final = "raffleProofs01"
SUMMARY: Final = "raffleSummary01"
EVENTS: Final = "raffleEvents01"

SELLER: Final = "seller@example.org"
SENDER: Final = "raffles@example.org"
FIXED: Final = "a value that only both know"

_DOORS: Final[Mapping[str, tuple[str, list[str]]]] = {
    ASK: ("raffle-proof", ["order.proof_received"]),
    EVENTS: ("raffle-events", []),
}
"""Path of the webhook and events wanted, none: all."""


def api(opened: House) -> httpx.Client:
    """Open the API as the seller's own program."""
    return httpx.Client(
        base_url=f"{opened.backoffice}/api",
        headers={"Authorization": f"Bearer {opened.seeded.token}"},
        trust_env=False,
        timeout=30,
    )


def review_token(opened: House) -> str:
    """Make the token that n8n works with, as an operator does."""
    command = [sys.executable, "-m", "backoffice.manage", "api_token", "create", "n8n"]
    said = child_processes.run(
        [*command, "--scope", "review"], environment=opened.environment, timeout=60
    )
    return said.strip()


def endpoints(asking: httpx.Client, *, n8n: str) -> dict[str, str]:
    """Have events sent to the workflows that listen; give the secret each is signed with."""
    secrets = {}
    for workflow, (path, types) in _DOORS.items():
        wanted = {"name": path, "url": f"{n8n}/webhook/{path}", "types": types}
        made = asking.post("/endpoints", json=wanted).raise_for_status().json()
        secrets[workflow] = made["secret"]
    return secrets


def credentials(engine: Engine, *, token: str, secrets: Mapping[str, str], smtp_port: int) -> None:
    """Fill the template in, import it, and leave no copy."""
    filled: Mapping[str, Mapping[str, Any]] = {
        "raffleApiHeader01": {"value": f"Bearer {token}"},
        "raffleProofSecret": {"hmacSecret": secrets[ASK]},
        "raffleEventSecret": {"hmacSecret": secrets[EVENTS]},
        "raffleFixedHeader": {"value": FIXED},
        "raffleMail01": {
            "host": HOST,
            "port": smtp_port,
            "secure": False,
            "disableStartTls": True,
        },
    }
    found = json.loads(TEMPLATE.read_text())
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


def workflows(
    engine: Engine, *, public_url: str, rows: Sequence[Mapping[str, str]] | None = None
) -> None:
    """Import the workflows with what a person types into their first nodes.

    Args:
        engine: the n8n that gets them.
        public_url: of the back office.
        rows: a bank statement; then only the workflow that reads it is imported.

    """
    typed = {"public_url": public_url, "seller_email": SELLER, "sender_email": SENDER}
    for file in WORKFLOWS.glob("*.json"):
        workflow = json.loads(file.read_text())
        if rows is not None and workflow["id"] != TRANSFERS:
            continue
        nodes = {node["name"]: node["parameters"] for node in workflow["nodes"]}
        for field in nodes["Settings"]["assignments"]["assignments"]:
            field["value"] = typed.get(field["name"], field["value"])
        if rows is not None:
            nodes["Bank statement"]["jsonOutput"] = json.dumps({"rows": rows})
        copy = engine.folder / file.name
        copy.write_text(json.dumps(workflow))
        engine.run("import:workflow", f"--input={copy}")
