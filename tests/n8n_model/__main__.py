"""Script that generates `nodes.json`: `python -m tests.n8n_model FOLDER`.

FOLDER is the `node_modules` folder with n8n. The file describes the node types and versions that
the workflows use, as far as n8n's editor checks them.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.n8n_model import workflow_rules

TYPES_WITHOUT_INPUT: Final = frozenset({"notice", "curlImport"})
"""Types of parameters that take no input."""

MAX_OPTIONS: Final = 16
"""Longer lists of options are left out; a parameter without options accepts any value."""


def main(modules: Path) -> None:
    """Read n8n's description of its nodes and write the used part to `nodes.json`."""
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
        f"{kind} {version}": _reduce_node(_find_node(described, kind, version), version)
        for kind, version in used
    }
    version = json.loads((modules / "n8n/package.json").read_text())["version"]
    written = ",\n".join(
        f" {json.dumps(kind)}: {_format_node(node)}" for kind, node in nodes.items()
    )
    workflow_rules.NODE_TABLE_FILE.write_text(
        f'{{"n8n": "{version}", "nodes": {{\n{written}\n}}}}\n'
    )


def _format_node(node: dict[str, Any]) -> str:
    """Format a node with one line per parameter."""
    parameters = ",\n".join(f"   {json.dumps(each)}" for each in node["parameters"])
    return json.dumps(node | {"parameters": [0]}).replace("[0]", f"[\n{parameters}\n  ]")


def _find_node(nodes: list[dict[str, Any]], kind: str, version: float) -> dict[str, Any]:
    for node in nodes:
        versions = node["version"] if isinstance(node["version"], list) else [node["version"]]
        if f"n8n-nodes-base.{node['name']}" == kind and version in versions:
            return node
    raise SystemExit(f"n8n has no {kind} in version {version}")


def _reduce_node(node: dict[str, Any], version: float) -> dict[str, Any]:
    outputs = node["outputs"]
    return {
        "outputs": len(outputs) if isinstance(outputs, list) else None,
        "credentials": [
            {"name": each["name"], **_build_display_conditions(each, version)}
            for each in node.get("credentials", [])
        ],
        "parameters": _reduce_parameters(node["properties"], version),
    }


def _reduce_parameters(properties: list[dict[str, Any]], version: float) -> list[dict[str, Any]]:
    kept = [
        _reduce_parameter(each, version)
        for each in properties
        if each["type"] not in TYPES_WITHOUT_INPUT
    ]
    return [each for each in kept if each is not None]


def _reduce_parameter(given: dict[str, Any], version: float) -> dict[str, Any] | None:
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
        if len(found["options"]) > MAX_OPTIONS:
            found["options"] = []
    if given["type"] == "collection":
        found["fields"] = _reduce_parameters(given["options"], version)
    if given["type"] == "fixedCollection":
        found["groups"] = {
            group["name"]: _reduce_parameters(group["values"], version)
            for group in given["options"]
        }
    return found | _build_display_conditions(given, version)


def _build_display_conditions(given: dict[str, Any], version: float) -> dict[str, Any]:
    """Return the display conditions without the version, which is already checked."""
    display = given.get("displayOptions", {})
    kept = {
        way: {name: values for name, values in display.get(way, {}).items() if name != "@version"}
        for way in ("show", "hide")
    }
    return {way: conditions for way, conditions in kept.items() if conditions}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
