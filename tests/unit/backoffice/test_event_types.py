"""Tests of event types: each is recorded, has a payload and a label, and is documented."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import TypeAdapter

from backoffice.automation import event_labels
from shared.core.enums import EventType
from shared.publishing import event_payloads, recorder

ROOT: Final = Path(__file__).resolve().parents[3]
TABLE_ROW: Final = re.compile(r"(?m)^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \| \S.* \|$")


@pytest.mark.parametrize("type_", EventType)
class TestEveryEventType:
    def test_is_recorded(self, type_: EventType) -> None:
        assert type_.name in list_recorded_types(), f"Record {type_} in {recorder.__name__}."

    def test_has_a_payload(self, type_: EventType) -> None:
        assert type_ in list_payload_types(), f"Add {type_} to {event_payloads.__name__}.Envelope."

    def test_has_a_label(self, type_: EventType) -> None:
        assert event_labels.EVENT_TYPE_LABELS.get(type_), (
            f"Add {type_} to {event_labels.__name__}.EVENT_TYPE_LABELS."
        )

    def test_is_documented_for_users_of_the_api(self, type_: EventType) -> None:
        assert type_ in list_documented_types(), f"Add {type_} to the table in docs/api.md."

    def test_is_a_webhook_of_the_openapi_document(self, type_: EventType) -> None:
        assert type_ in list_webhook_types(), (
            f"Add the payload of {type_} to backoffice.api.openapi.webhooks.EVENT_PAYLOADS."
        )


def test_no_other_types_are_described() -> None:
    known = {str(type_) for type_ in EventType}

    assert set(list_payload_types()) == known
    assert set(event_labels.EVENT_TYPE_LABELS) == known
    assert list_documented_types() == known
    assert set(list_webhook_types()) == known


def list_recorded_types() -> set[str]:
    """Return the names of the members that the recorder uses."""
    assert recorder.__file__ is not None
    return {
        node.attr
        for node in ast.walk(ast.parse(Path(recorder.__file__).read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == EventType.__name__
    }


@cache
def list_payload_types() -> list[str]:
    """Return the types that the union of payloads distinguishes."""
    schema = TypeAdapter(event_payloads.Envelope).json_schema()
    return list(_resolve(schema, schema)["discriminator"]["mapping"])


def list_documented_types() -> set[str]:
    """Return the types in the table under "Events" in the documentation of the API."""
    _, _, text = (ROOT / "docs" / "api.md").read_text().partition("\n## Events\n")
    table, _, _ = text.partition("\n### ")
    return {type_ for row in TABLE_ROW.findall(table) for type_ in re.findall(r"`([a-z_.]+)`", row)}


@cache
def list_webhook_types() -> list[str]:
    """Return the types of the payloads that the OpenAPI document lists as webhooks."""
    document = json.loads((ROOT / "openapi.json").read_text())
    sent = document["webhooks"]["event"]["post"]["requestBody"]["content"]["application/json"]
    payloads = [_resolve(payload, document) for payload in sent["schema"]["oneOf"]]
    kinds = [_resolve(payload["properties"]["type"], document) for payload in payloads]
    return [type_ for kind in kinds for type_ in kind.get("enum") or [kind["const"]]]


def _resolve(part: Any, document: Any) -> Any:
    """Return the target of a reference, or the part itself."""
    for step in part.get("$ref", "").removeprefix("#/").split("/"):
        if step:
            part = document = document[step]
    return part
