"""Runner of workflows that follows connections item by item, as n8n does.

It supports the node types that our workflows use. The caller provides the outside world: the
answers to requests and mails, and the results of code nodes.
"""

import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from tests.n8n_model.expressions import UNDEFINED, ExpressionScope, render_template
from tests.n8n_model.workflow_rules import Flow, Node


@dataclass(frozen=True)
class WorkflowItem:
    """An item that travels along a connection.

    Attributes:
        json: value of `$json`.
        binary: raw body of a webhook.
        past: earlier values by the name of the node, for `$('Name').item`.

    """

    json: Any
    binary: bytes = b""
    past: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeRequest:
    """Request of an HTTP node."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class NodeResponse:
    """Answer to an HTTP node."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class WorkflowSurroundings:
    """The world outside of n8n.

    Attributes:
        ask: returns the answer to an HTTP node.
        decide: returns what a person sends with the form of a mail.
        secrets: secrets by the id of the credential.
        settings: values of the Settings node by field.
        code: implementation of each code node.
        elsewhere: answers of other servers by address; each is asked without a credential.

    """

    ask: Callable[[NodeRequest], NodeResponse]
    decide: Callable[[Mapping[str, Any]], Mapping[str, str]] = dict
    secrets: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, Callable[[list[Any], ExpressionScope], list[Any]]] = field(
        default_factory=dict
    )
    elsewhere: Mapping[str, Any] = field(default_factory=dict)


class WorkflowRunner:
    """Runs a workflow, with state that is shared between runs."""

    def __init__(self, flow: Flow, wire: WorkflowSurroundings) -> None:
        self.wire = wire
        self.nodes: Mapping[str, Node] = {node["name"]: node for node in flow["nodes"]}
        self.lines = flow["connections"]
        self.reached: dict[str, list[Any]] = {}
        """Output of each node in the latest run."""
        self.mails: list[Mapping[str, Any]] = []
        self.response: int | None = None
        self._seen: set[Any] = set()

    def run(self, start: str, item: WorkflowItem | None = None) -> None:
        """Run the workflow from a node until nothing is left to do.

        Raises:
            MissingPath: an expression uses a path that does not exist.

        """
        self.reached, self.response = {}, None
        waiting = deque([(start, [item or WorkflowItem({})])])
        while waiting:
            name, items = waiting.popleft()
            node = self.nodes[name]
            outputs = [items] if name == start else self._run_node(node, items)
            lines = self.lines.get(name, {"main": []})["main"]
            for place, output in enumerate(outputs):
                left = [replace(each, past={**each.past, name: each.json}) for each in output]
                self.reached.setdefault(name, []).extend(each.json for each in left)
                for line in lines[place] if left and place < len(lines) else []:
                    waiting.append((line["node"], left))

    def _run_node(self, node: Node, items: list[WorkflowItem]) -> list[list[WorkflowItem]]:
        kind = node["type"].rpartition(".")[2]
        if kind == "code":
            scope = self._build_scope(items[0])
            found = self.wire.code[node["name"]]([item.json for item in items], scope)
            return [[WorkflowItem(each, past=items[0].past) for each in found]]
        if kind in ("if", "switch"):
            return self._route_items(node, items)
        act: Callable[[Node, WorkflowItem], list[WorkflowItem]] = getattr(self, f"_{kind}")
        found_items = [each for item in items for each in act(node, item)]
        if not found_items and node.get("alwaysOutputData"):
            found_items = [WorkflowItem({}, past=items[0].past)]
        return [found_items]

    def _build_scope(self, item: WorkflowItem, **names: Any) -> ExpressionScope:
        def node(name: str) -> Any:
            found: dict[str, Any] = {"first": lambda: {"json": self.reached[name][0]}}
            if name in item.past:
                found["item"] = {"json": item.past[name]}
            return found

        return ExpressionScope({"$json": item.json, **names}, node)

    def _evaluate(self, text: object, item: WorkflowItem) -> Any:
        return render_template(text, self._build_scope(item))

    # ── Nodes by the last part of their type

    def _noOp(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        return [item]

    def _crypto(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        assert node["parameters"]["binaryData"]
        secret = self.wire.secrets[node["credentials"]["crypto"]["id"]]
        signature = hmac.new(secret.encode(), item.binary, hashlib.sha256).hexdigest()
        key = node["parameters"]["dataPropertyName"]
        return [replace(item, json={**item.json, key: signature})]

    def _respondToWebhook(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        assert self.response is None, "a webhook is answered once"
        self.response = node["parameters"]["options"]["responseCode"]
        return [item]

    def _removeDuplicates(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        assert node["parameters"]["options"]["scope"] == "workflow"
        if node["parameters"]["operation"] == "clearDeduplicationHistory":
            self._seen.clear()
            return [item]
        value = self._evaluate(node["parameters"]["dedupeValue"], item)
        if value in self._seen:
            return []
        self._seen.add(value)
        return [item]

    def _set(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        parameters = node["parameters"]
        if parameters.get("mode") == "raw":
            value = self._evaluate(parameters["jsonOutput"], item)
            found = json.loads(value) if isinstance(value, str) else value
        else:
            fields = parameters["assignments"]["assignments"]
            found = {each["name"]: self._evaluate(each["value"], item) for each in fields}
            _check_types(fields, found)
        if node["name"] == "Settings":
            found |= {name: self.wire.settings[name] for name in found if name != "event"}
        return [replace(item, json=found, binary=b"")]

    def _splitOut(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        rows = item.json[node["parameters"]["fieldToSplitOut"]]
        return [replace(item, json=row) for row in rows]

    def _httpRequest(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        parameters = node["parameters"]
        options = parameters["options"]
        url = self._evaluate(parameters["url"], item)
        if url in self.wire.elsewhere:
            assert "credentials" not in node, "our token is for us alone"
            return [replace(item, json=self.wire.elsewhere[url])]
        given = parameters.get("headerParameters", {"parameters": []})["parameters"]
        request = NodeRequest(
            method=parameters.get("method", "GET"),
            path=self._extract_path(url),
            headers={each["name"]: self._evaluate(each["value"], item) for each in given},
            body=json.loads(self._evaluate(parameters.get("jsonBody", "null"), item)),
        )
        answer = self.wire.ask(request)
        whole = options.get("response", {}).get("response", {})
        assert whole.get("neverError") or answer.status < 400, (node["name"], answer)
        if whole.get("fullResponse"):
            full = {"body": answer.body, "headers": answer.headers, "statusCode": answer.status}
            return [replace(item, json=full)]
        pages = [answer.body]
        if "pagination" in options:
            pages += self._fetch_next_pages(
                options["pagination"]["pagination"], request, answer, item
            )
        return [replace(item, json=page) for page in pages]

    def _fetch_next_pages(
        self,
        pages: Mapping[str, Any],
        request: NodeRequest,
        answer: NodeResponse,
        item: WorkflowItem,
    ) -> list[Any]:
        found: list[Any] = []
        while True:
            response = {"body": answer.body, "headers": answer.headers}
            scope = self._build_scope(item, **{"$response": response})
            if render_template(pages["completeExpression"], scope):
                return found
            address = self._extract_path(render_template(pages["nextURL"], scope))
            answer = self.wire.ask(replace(request, path=address))
            found.append(answer.body)

    def _extract_path(self, url: str) -> str:
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == self.wire.settings["public_url"], url
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _emailSend(self, node: Node, item: WorkflowItem) -> list[WorkflowItem]:
        keys = ("fromEmail", "toEmail", "subject", "message", "text")
        parameters = node["parameters"]
        mail = {key: self._evaluate(parameters[key], item) for key in keys if key in parameters}
        self.mails.append(mail)
        if parameters["operation"] == "send":
            return [replace(item, json={"accepted": [mail["toEmail"]]})]
        fields = parameters["formFields"]["values"]
        typed = self.wire.decide(mail)
        options = [each["option"] for each in fields[0]["fieldOptions"]["values"]]
        assert typed[fields[0]["fieldLabel"]] in options
        answers = {each["fieldLabel"]: typed.get(each["fieldLabel"], "") for each in fields}
        return [replace(item, json={"data": {**answers, "respondedAt": "2026-12-12T20:00:00Z"}})]

    def _route_items(self, node: Node, items: list[WorkflowItem]) -> list[list[WorkflowItem]]:
        parameters = node["parameters"]
        if node["type"].endswith(".if"):
            rules, extra = [parameters["conditions"]], True
        else:
            rules = [rule["conditions"] for rule in parameters["rules"]["values"]]
            extra = parameters["options"].get("fallbackOutput") == "extra"
        outputs: list[list[WorkflowItem]] = [[] for _ in range(len(rules) + extra)]
        for item in items:
            holding = (place for place, rule in enumerate(rules) if self._matches_rule(rule, item))
            place = next(holding, len(rules))
            if place < len(outputs):
                outputs[place].append(item)
        return outputs

    def _matches_rule(self, rule: Mapping[str, Any], item: WorkflowItem) -> bool:
        compared = []
        for each in rule["conditions"]:
            left, right = (self._evaluate(each[side], item) for side in ("leftValue", "rightValue"))
            match each["operator"]["operation"]:
                case "equals":
                    assert {type(left), type(right)} == {str}, each
                    compared.append(left == right)
                case "notEmpty":
                    compared.append(left is not UNDEFINED and bool(left))
        assert len(compared) == len(rule["conditions"])
        return any(compared) if rule["combinator"] == "or" else all(compared)


_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
}


def _check_types(fields: list[Mapping[str, Any]], found: Mapping[str, Any]) -> None:
    for each in fields:
        value = found[each["name"]]
        assert isinstance(value, _TYPES[each["type"]]), (each["name"], value)
