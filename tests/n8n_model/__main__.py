"""Writes `nodes.json` anew: `python -m tests.n8n_model FOLDER`, the `node_modules` where n8n is.

It keeps, of the types and versions that the workflows use, what an editor would complain about.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.n8n_model import workflow_rules

BARE: Final = frozenset({"notice", "curlImport"})
"""Kinds of parameters that nobody fills in."""

MOST_OPTIONS: Final = 16
"""Longer lists are not kept; a parameter without any takes what it is given."""


def main(modules: Path) -> None:
    """Read n8n's own description of its nodes and keep what is used of it."""
    base = modules / "n8n-nodes-base"
    described = json.loads((base / "dist/types/nodes.json").read_text())
    used = sorted(
        {
            (node["type"], node["typeVersion"])
            for flow in workflow_rules.load_workflows()
            for node in flow["nodes"]
        }
    )
    nodes = {
        f"{kind} {version}": _kept(_described(described, kind, version), version)
        for kind, version in used
    }
    version = json.loads((modules / "n8n/package.json").read_text())["version"]
    written = ",\n".join(f" {json.dumps(kind)}: {_lines(node)}" for kind, node in nodes.items())
    workflow_rules.NODE_TABLE_FILE.write_text(
        f'{{"n8n": "{version}", "nodes": {{\n{written}\n}}}}\n'
    )


def _lines(node: dict[str, Any]) -> str:
    """Write a node with a line for each parameter."""
    parameters = ",\n".join(f"   {json.dumps(each)}" for each in node["parameters"])
    return json.dumps(node | {"parameters": [0]}).replace("[0]", f"[\n{parameters}\n  ]")


def _described(nodes: list[dict[str, Any]], kind: str, version: float) -> dict[str, Any]:
    for node in nodes:
        versions = node["version"] if isinstance(node["version"], list) else [node["version"]]
        if f"n8n-nodes-base.{node['name']}" == kind and version in versions:
            return node
    raise SystemExit(f"n8n has no {kind} in version {version}")


def _kept(node: dict[str, Any], version: float) -> dict[str, Any]:
    outputs = node["outputs"]
    return {
        "outputs": len(outputs) if isinstance(outputs, list) else None,
        "credentials": [
            {"name": each["name"], **_shown(each, version)} for each in node.get("credentials", [])
        ],
        "parameters": _parameters(node["properties"], version),
    }


def _parameters(properties: list[dict[str, Any]], version: float) -> list[dict[str, Any]]:
    kept = [_parameter(each, version) for each in properties if each["type"] not in BARE]
    return [each for each in kept if each is not None]


def _parameter(given: dict[str, Any], version: float) -> dict[str, Any] | None:
    display = given.get("displayOptions", {})
    if not workflow_rules.is_in_version(display, version):
        return None
    found: dict[str, Any] = {"name": given["name"], "type": given["type"]}
    if given.get("default") not in ("", None, {}):
        found["default"] = given["default"]
    if given.get("required"):
        found["required"] = True
    if given.get("typeOptions", {}).get("multipleValues"):
        found["several"] = True
    if given["type"] in ("options", "multiOptions"):
        found["options"] = sorted({each["value"] for each in given.get("options", [])}, key=str)
        if len(found["options"]) > MOST_OPTIONS:
            found["options"] = []
    if given["type"] == "collection":
        found["fields"] = _parameters(given["options"], version)
    if given["type"] == "fixedCollection":
        found["groups"] = {
            group["name"]: _parameters(group["values"], version) for group in given["options"]
        }
    return found | _shown(given, version)


def _shown(given: dict[str, Any], version: float) -> dict[str, Any]:
    """Give when it is shown, but for the version, which is settled."""
    display = given.get("displayOptions", {})
    kept = {
        way: {name: values for name, values in display.get(way, {}).items() if name != "@version"}
        for way in ("show", "hide")
    }
    return {way: conditions for way, conditions in kept.items() if conditions}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
