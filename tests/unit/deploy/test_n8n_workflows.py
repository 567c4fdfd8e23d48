"""Tests of the n8n workflow files: valid for n8n, and without secrets or private data."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.n8n_model import workflow_rules
from tests.n8n_model.expressions import UNDEFINED, ExpressionScope, MissingPath, render_template
from tests.n8n_model.workflow_rules import Flow

FLOWS = {flow["id"]: flow for flow in workflow_rules.load_workflows()}


def node(flow: Flow, name: str) -> Any:
    return next(node for node in flow["nodes"] if node["name"] == name)


def copy() -> Any:
    return json.loads(json.dumps(FLOWS["raffleTransfers01"]))


class TestFiles:
    @pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
    def test_are_taken_by_n8n_as_they_are(self, flow: Flow) -> None:
        assert list(workflow_rules.find_workflow_faults(flow)) == []

    def test_say_which_n8n_they_were_tried_with(self) -> None:
        version = json.loads(workflow_rules.NODE_TABLE_FILE.read_text())["n8n"]
        assert f"\nN8N={version} " in (workflow_rules.WORKFLOW_FOLDER / "try.sh").read_text()
        assert f"**{version}**" in (workflow_rules.WORKFLOW_FOLDER / "README.md").read_text()

    def test_have_ids_and_webhooks_of_their_own(self) -> None:
        nodes = [node for flow in FLOWS.values() for node in flow["nodes"]]
        paths = [node["parameters"].get("path") for node in nodes if "webhookId" in node]

        assert len(FLOWS) == len(workflow_rules.load_workflows()) == 5
        assert len(paths) == len({*paths})

    def test_repeat_a_request_under_the_same_key_and_never_under_the_execution_s(self) -> None:
        posts = [
            node
            for flow in FLOWS.values()
            for node in flow["nodes"]
            if node["parameters"].get("method", "GET") == "POST"
        ]

        assert len(posts) == 4
        for post in posts:
            [header] = post["parameters"]["headerParameters"]["parameters"]
            assert header["name"] == "Idempotency-Key"
            assert "$execution" not in header["value"]
            assert re.search(r"order\.id|\.key|json\.id", header["value"])
        made = node(FLOWS["raffleTransfers01"], "Match")["parameters"]["jsCode"]
        assert "const key = `statement-${code}-${readAt}`;" in made

    def test_confirm_nothing_until_a_person_says_so(self) -> None:
        statement = node(FLOWS["raffleTransfers01"], "Bank statement")
        assert json.loads(statement["parameters"]["jsonOutput"]) == {"rows": []}
        question = node(FLOWS["raffleProofs01"], "Ask")["parameters"]
        assert question["responseType"] == "customForm", "a link alone is followed by mail filters"

    def test_come_with_a_template_that_opens_nothing(self) -> None:
        for credential in workflow_rules.load_credentials():
            secrets = {"value", "hmacSecret", "password"} & credential["data"].keys()
            assert len(credential["id"]) <= workflow_rules.MAX_ID_LENGTH
            assert [credential["data"][name] for name in secrets] == [""]

    def test_can_be_run_by_n8n_execute(self) -> None:
        """It needs a manual trigger and starts at the first trigger that is not a webhook."""
        starts = {}
        for name in ("raffleTransfers01", "raffleSummary01", "raffleEvents01", "raffleDraws01"):
            kinds = {node["name"]: node["type"].rpartition(".")[2] for node in FLOWS[name]["nodes"]}
            assert "manualTrigger" in kinds.values()
            first = (
                name for name, kind in kinds.items() if kind in ("manualTrigger", "scheduleTrigger")
            )
            starts[name] = next(first)
        assert [*starts.values()] == [
            "Start",
            "Every morning",
            "Every hour",
            "Every quarter of an hour",
        ]

    def test_empty_the_memory_of_ids_before_it_stops_them(self) -> None:
        for flow in (FLOWS["raffleProofs01"], FLOWS["raffleEvents01"]):
            kept, emptied = (
                node(flow, name)["parameters"]["options"]
                for name in ("Once only", "Forget old ones")
            )
            assert kept["scope"] == emptied["scope"] == "workflow"


class TestRules:
    @pytest.mark.parametrize(
        ("spoil", "fault"),
        [
            (lambda flow: flow.pop("id"), "id None"),
            (lambda flow: flow.update(id="x" * 22), "id 'x"),
            (lambda flow: flow.update(active=True), "inactive"),
            (lambda flow: flow["settings"].clear(), "executionOrder"),
            (lambda flow: node(flow, "Match").update(name="Start"), "'Start' twice"),
            (lambda flow: node(flow, "Match").update(typeVersion=3), "in version 3"),
            (lambda flow: node(flow, "Match").update(type="n8n-nodes-base.python"), "not know"),
            (lambda flow: node(flow, "Confirm")["parameters"].pop("url"), "url is missing"),
            (lambda flow: node(flow, "Confirm")["parameters"].update(uri="/"), "uri is unknown"),
            (lambda flow: node(flow, "Confirm")["parameters"].pop("sendBody"), "not shown"),
            (lambda flow: node(flow, "Confirm")["parameters"].update(method="SEND"), "'SEND'"),
            (lambda flow: node(flow, "Confirm").pop("credentials"), "httpHeaderAuth is missing"),
            (
                lambda flow: node(flow, "Confirm")["credentials"]["httpHeaderAuth"].update(id="7"),
                "not in the template",
            ),
            (
                lambda flow: flow["connections"]["Outcome"]["main"].append([]),
                "4 outputs, 5 are used",
            ),
            (
                lambda flow: flow["connections"]["Start"]["main"][0][0].update(node="Nowhere"),
                "'Nowhere', which is not there",
            ),
            (lambda flow: flow["connections"].pop("Match"), "nothing leads to What to do"),
            (
                lambda flow: node(flow, "Note 1")["parameters"].update(content="rtb_" + "x" * 40),
                "secret",
            ),
            (
                lambda flow: node(flow, "Note 1")["parameters"].update(content="https://shop.mx"),
                "a real host, https://shop.mx",
            ),
        ],
    )
    def test_find(self, spoil: Callable[[Any], object], fault: str) -> None:
        flow = copy()
        spoil(flow)
        assert any(fault in found for found in workflow_rules.find_workflow_faults(flow)), list(
            workflow_rules.find_workflow_faults(flow)
        )


class TestExpressions:
    SCOPE = ExpressionScope(
        {"$json": {"id": 7, "rows": [{"n": "07"}, {"n": "13"}], "none": None, "more": {}}},
        {"Other": {"item": {"json": {"code": "R-7K3F9"}}}}.__getitem__,
    )

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("plain {{ $json.id }}", "plain {{ $json.id }}"),
            ("={{ $json.id }}", 7),
            ("=order {{ $json.id }} is {{ $('Other').item.json.code }}", "order 7 is R-7K3F9"),
            ("={{ $json.rows.map((row) => row.n).join(', ') }}", "07, 13"),
            ("={{ $json.rows[1].n }}", "13"),
            ("={{ $json.none?.name ?? 'nobody' }}", "nobody"),
            ("={{ $json.absent ?? 'nothing' }}", "nothing"),
            ("={{ $json.more?.absent }}", UNDEFINED),
            ("={{ !$json.none }}", True),
            ("={{ $json.id === 7 ? 'seven' : $json.absent }}", "seven"),
            ("={{ ({ 'a': 'x', b: 'y' })['b'] + '!' }}", "y!"),
            ("={{ [$json.id, 'b'].join(' ') }}", "7 b"),
            ("={{ JSON.stringify({ id: $json.id, none: null }) }}", '{"id": 7, "none": null}'),
        ],
    )
    def test_are_evaluated(self, text: str, value: object) -> None:
        assert render_template(text, self.SCOPE) == value

    @pytest.mark.parametrize(
        "text",
        [
            "={{ $json.absent }}",
            "={{ $json.none.name }}",
            "={{ $json.rows[2] }}",
            "={{ $json.rows.map((row) => row.number) }}",
            "={{ $json.more.absent || $json.absent }}",
            "={{ $json.id === 8 ? 'eight' : $json.absent }}",
            "={{ JSON.stringify({ id: $json.absent }) }}",
            "={{ $input.item }}",
        ],
    )
    def test_that_lead_nowhere_are_errors(self, text: str) -> None:
        with pytest.raises(MissingPath):
            render_template(text, self.SCOPE)
