"""Rules for workflow files: known nodes, valid parameters and complete connections.

`nodes.json` is generated from n8n's description of its nodes, see `__main__.py`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from shared.core.config import PROJECT_ROOT

WORKFLOW_FOLDER: Final = PROJECT_ROOT / "deploy" / "n8n"
NODE_TABLE_FILE: Final = Path(__file__).with_name("nodes.json")

MAX_ID_LENGTH: Final = 21
STICKY_NOTE_TYPE: Final = "n8n-nodes-base.stickyNote"
TRIGGER_TYPES: Final = frozenset(
    f"n8n-nodes-base.{name}" for name in ("manualTrigger", "scheduleTrigger", "webhook")
)
PLACEHOLDER_PATTERN: Final = re.compile(r"(^|[./@])example\.(org|com)$")
_HOST_PATTERN: Final = re.compile(r"https?://([\w.-]+)|@([\w-]+\.[\w.-]+)")
_SECRET_PATTERN: Final = re.compile(r"whsec_[A-Za-z0-9+/]{8}|rtb_[\w-]{8}|(Bearer|Token) [\w-]{20}")

type Node = Mapping[str, Any]
type Flow = Mapping[str, Any]


def load_workflows() -> list[Flow]:
    """Return the contents of every workflow file."""
    return [
        json.loads(file.read_text())
        for file in sorted((WORKFLOW_FOLDER / "workflows").glob("*.json"))
    ]


def load_credentials() -> list[Mapping[str, Any]]:
    """Return the template of the credentials."""
    found: list[Mapping[str, Any]] = json.loads(
        (WORKFLOW_FOLDER / "credentials.example.json").read_text()
    )
    return found


def load_node_table() -> Mapping[str, Any]:
    """Return the descriptions of n8n's nodes by type and version."""
    known: Mapping[str, Any] = json.loads(NODE_TABLE_FILE.read_text())["nodes"]
    return known


def is_in_version(display: Mapping[str, Any], version: float) -> bool:
    """Return whether a parameter exists in a version of its node."""
    shown = display.get("show", {}).get("@version")
    hidden = display.get("hide", {}).get("@version")
    return (shown is None or _matches_any(shown, version)) and not (
        hidden and _matches_any(hidden, version)
    )


def _matches_any(conditions: list[Any], value: Any) -> bool:
    """Return whether a value equals one of the values or meets one of the conditions."""
    for wanted in conditions:
        if not (isinstance(wanted, dict) and "_cnd" in wanted):
            if value == wanted:
                return True
            continue
        [(how, limit)] = wanted["_cnd"].items()
        compared = {
            "eq": value == limit,
            "gte": value >= limit,
            "gt": value > limit,
            "lt": value < limit,
            "lte": value <= limit,
        }
        if compared[how]:
            return True
    return False


# ── File


def find_workflow_faults(flow: Flow) -> Iterator[str]:
    """Return every fault that n8n, or a careful reader, would reject."""
    yield from _check_file(flow)
    for node in flow["nodes"]:
        for fault in (*_check_parameters(node), *_check_credentials(node)):
            yield f"{node['name']}: {fault}"
    yield from _check_connections(flow)


def _check_file(flow: Flow) -> Iterator[str]:
    if not (isinstance(flow.get("id"), str) and 0 < len(flow["id"]) <= MAX_ID_LENGTH):
        yield f"id {flow.get('id')!r}"
    if flow.get("active") is not False:
        yield "it must come inactive"
    if flow.get("settings", {}).get("executionOrder") != "v1":
        yield "executionOrder must be v1"
    nodes = flow["nodes"]
    for key in ("id", "name"):
        values = [node[key] for node in nodes]
        yield from (f"{key} {each!r} twice" for each in {*values} if values.count(each) > 1)
    if not any(node["type"] == STICKY_NOTE_TYPE for node in nodes):
        yield "nothing explains it"
    text = json.dumps(flow)
    if _SECRET_PATTERN.search(text):
        yield "a secret"
    for found in _HOST_PATTERN.finditer(text):
        if not PLACEHOLDER_PATTERN.search(found[1] or found[2]):
            yield f"a real host, {found[0]}"


# ── Nodes


def _check_parameters(node: Node) -> Iterator[str]:
    known = load_node_table().get(f"{node['type']} {node['typeVersion']}")
    if known is None:
        yield f"n8n does not know {node['type']} in version {node['typeVersion']}"
        return
    values = node["parameters"]
    yield from _check_fields(values, known["parameters"], root=values)


def _check_fields(
    values: Mapping[str, Any], known: list[Mapping[str, Any]], *, root: Mapping[str, Any]
) -> Iterator[str]:
    """Compare the given fields with the known ones, as n8n's editor does."""
    shown = [each for each in known if _is_shown(each, values, known, root)]
    names = {each["name"] for each in shown}
    yield from (f"{name} is unknown, or not shown here" for name in values if name not in names)
    for each in shown:
        value = values.get(each["name"], each.get("default"))
        if each.get("required") and value in (None, "", [], {}):
            yield f"{each['name']} is missing"
        if each["name"] in values:
            yield from _check_value(values[each["name"]], each, root=root)


def _check_value(value: Any, known: Mapping[str, Any], *, root: Mapping[str, Any]) -> Iterator[str]:
    name, kind = known["name"], known["type"]
    if isinstance(value, str) and value.startswith("="):
        return
    types: Mapping[str, type | tuple[type, ...]] = {
        "string": str,
        "json": str,
        "boolean": bool,
        "number": (int, float),
    }
    if kind in types and not isinstance(value, types[kind]):
        yield f"{name} must be a {kind}"
    if kind == "options" and known["options"] and value not in known["options"]:
        yield f"{name} cannot be {value!r}"
    if kind == "collection":
        yield from _check_fields(value, known["fields"], root=root)
    if kind == "fixedCollection":
        for group, rows in value.items():
            if group not in known["groups"]:
                yield f"{name} has no {group}"
                continue
            if isinstance(rows, list) != known.get("several", False):
                yield f"{name}.{group} must be {'a list' if known.get('several') else 'one'}"
            for row in rows if isinstance(rows, list) else [rows]:
                yield from _check_fields(row, known["groups"][group], root=root)


def _is_shown(
    parameter: Mapping[str, Any],
    values: Mapping[str, Any],
    known: list[Mapping[str, Any]],
    root: Mapping[str, Any],
) -> bool:
    defaults = {each["name"]: each.get("default", "") for each in reversed(known)}

    def holds(name: str, wanted: list[Any]) -> bool:
        if name.startswith("/"):
            return _matches_any(wanted, root.get(name[1:], wanted[0]))
        return _matches_any(wanted, values.get(name, defaults.get(name, "")))

    shown = all(holds(name, wanted) for name, wanted in parameter.get("show", {}).items())
    return shown and not any(
        holds(name, wanted) for name, wanted in parameter.get("hide", {}).items()
    )


def _check_credentials(node: Node) -> Iterator[str]:
    known = load_node_table().get(f"{node['type']} {node['typeVersion']}", {"credentials": []})
    wanted = {
        each["name"]
        for each in known["credentials"]
        if _is_shown(each, node["parameters"], known["parameters"], node["parameters"])
    }
    if node["parameters"].get("authentication") == "genericCredentialType":
        wanted.add(node["parameters"]["genericAuthType"])
    given = node.get("credentials", {})
    yield from (f"credential {name} is missing" for name in wanted - given.keys())
    listed = [
        (each["type"], {"id": each["id"], "name": each["name"]}) for each in load_credentials()
    ]
    for name, reference in given.items():
        if (name, reference) not in listed:
            yield f"{reference} is not in the template"


# ── Connections


def count_outputs(node: Node) -> int:
    """Return the number of outputs of a node."""
    if node["type"].endswith(".switch"):
        parameters = node["parameters"]
        extra: bool = parameters["options"].get("fallbackOutput") == "extra"
        return len(parameters["rules"]["values"]) + extra
    fixed: int | None = load_node_table()[f"{node['type']} {node['typeVersion']}"]["outputs"]
    return (1 if fixed is None else fixed) + (node.get("onError") == "continueErrorOutput")


def _check_connections(flow: Flow) -> Iterator[str]:
    nodes = {node["name"]: node for node in flow["nodes"]}
    reached = {name for name, node in nodes.items() if node["type"] in TRIGGER_TYPES}
    for name, lines in flow["connections"].items():
        if name not in nodes:
            yield f"a line from {name!r}, which is not there"
            continue
        if len(lines["main"]) > count_outputs(nodes[name]):
            yield f"{name} has {count_outputs(nodes[name])} outputs, {len(lines['main'])} are used"
        for line in (line for output in lines["main"] for line in output):
            reached.add(line["node"])
            if line["node"] not in nodes:
                yield f"a line from {name} to {line['node']!r}, which is not there"
            if (line["type"], line["index"]) != ("main", 0):
                yield f"a line from {name} into an input that {line['node']} has not"
    lost = {name for name, node in nodes.items() if node["type"] != STICKY_NOTE_TYPE} - reached
    yield from (f"nothing leads to {name}" for name in lost)
