"""Tests of the OpenAPI document: complete, valid, stable, and with correct examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from backoffice.api.openapi import examples
from backoffice.api.views import openapi

ROOT: Final = Path(__file__).resolve().parents[4]
RENEW: Final = (
    "openapi.json is not what the code says. Renew it, and look at what changed for others:\n"
    "  DJANGO_SETTINGS_MODULE=tests.settings uv run manage openapi --write"
)
OPERATIONS: Final = {
    "deliveries_list": "GET /api/deliveries",
    "delivery_resend": "POST /api/deliveries/{id}/resend",
    "draw_enter_values": "POST /api/raffles/{id}/draw/values",
    "draw_execute": "POST /api/raffles/{id}/draw",
    "draw_record": "GET /api/raffles/{id}/draw/record",
    "draw_retrieve": "GET /api/raffles/{id}/draw",
    "endpoints_list": "GET /api/endpoints",
    "endpoint_create": "POST /api/endpoints",
    "endpoint_retrieve": "GET /api/endpoints/{id}",
    "endpoint_update": "PATCH /api/endpoints/{id}",
    "endpoint_delete": "DELETE /api/endpoints/{id}",
    "events_list": "GET /api/events",
    "orders_list": "GET /api/orders",
    "order_retrieve": "GET /api/orders/{id}",
    "order_add_note": "POST /api/orders/{id}/note",
    "order_give_more_time": "POST /api/orders/{id}/more-time",
    "order_cancel": "POST /api/orders/{id}/cancel",
    "order_confirm_payment": "POST /api/orders/{id}/confirm-payment",
    "order_refund": "POST /api/orders/{id}/refund",
    "order_undo_confirmation": "POST /api/orders/{id}/undo-confirmation",
    "order_proofs": "GET /api/orders/{id}/proofs",
    "order_reject_payment": "POST /api/orders/{id}/reject-payment",
    "order_resolve_late": "POST /api/orders/{id}/resolve-late",
    "proofs_list": "GET /api/proofs",
    "proof_retrieve": "GET /api/proofs/{id}",
    "proof_move": "POST /api/proofs/{id}/move",
    "proof_file": "GET /api/proofs/{id}/file",
    "raffles_list": "GET /api/raffles",
    "raffle_retrieve": "GET /api/raffles/{id}",
    "raffle_availability": "GET /api/raffles/{id}/availability",
    "raffle_call_off": "POST /api/raffles/{id}/call-off",
    "raffle_close": "POST /api/raffles/{id}/close",
    "raffle_numbers": "GET /api/raffles/{id}/numbers",
    "raffle_open": "POST /api/raffles/{id}/open",
    "raffle_pause": "POST /api/raffles/{id}/pause",
    "raffle_statistics": "GET /api/raffles/{id}/statistics",
    "schema_retrieve": "GET /api/schema",
    "statistics": "GET /api/statistics",
}
"""Schema names that generated clients depend on; a released name never changes."""


@pytest.fixture(scope="module")
def schema() -> Any:
    openapi.render_openapi_document.cache_clear()
    return json.loads(openapi.render_openapi_document())


def list_operations(schema: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


class TestDocument:
    def test_is_the_one_that_is_committed(self, schema: Any) -> None:
        kept = (ROOT / "openapi.json").read_bytes()

        assert openapi.render_openapi_document() == kept, RENEW

    def test_is_made_without_a_warning_and_valid(self, schema: Any) -> None:
        assert not GENERATOR_STATS
        validate_schema(schema)  # type: ignore[no-untyped-call]

    def test_names_each_operation_once_and_for_ever(self, schema: Any) -> None:
        names = [(operation["operationId"], where) for where, operation in list_operations(schema)]

        assert dict(names) == OPERATIONS
        assert len(names) == len(OPERATIONS)

    def test_knows_every_tag(self, schema: Any) -> None:
        tags = {tag["name"] for tag in schema["tags"]}

        assert {tag for _, each in list_operations(schema) for tag in each["tags"]} == tags

    def test_depends_on_no_machine(self, schema: Any) -> None:
        assert schema["servers"][0]["url"] == "/"
        assert "127.0.0.1" not in json.dumps(schema)


class TestEveryOperation:
    def test_says_who_may_ask_and_what_may_be_refused(self, schema: Any) -> None:
        for where, operation in list_operations(schema):
            if operation["security"] == [{}]:
                assert where == "GET /api/schema"
                continue
            wanted = {"401", "403", "429", "503"}
            if "{" in where:
                wanted |= {"404"}
            if where.startswith("POST"):
                wanted |= {"400", "409", "413", "415", "422"}
            assert wanted <= operation["responses"].keys(), where
            assert operation["summary"], where
            assert "scope" in operation["description"], where

    def test_has_an_example_for_each_answer_that_is_one(self, schema: Any) -> None:
        for where, operation in list_operations(schema):
            for status, referred in operation["responses"].items():
                answer = resolve_reference(referred, schema)
                if where == "GET /api/schema" or "application/json" not in answer.get(
                    "content", {}
                ):
                    continue
                shown = answer["content"]["application/json"]
                assert shown["examples"], (where, status)
                for name, example in shown["examples"].items():
                    value = resolve_reference(example, schema)["value"]
                    check_example(value, shown["schema"], schema, what=(where, status, name))

    def test_has_an_example_for_each_body(self, schema: Any) -> None:
        for where, operation in list_operations(schema):
            for shown in operation.get("requestBody", {}).get("content", {}).values():
                assert shown["examples"], where
                for name, example in shown["examples"].items():
                    check_example(example["value"], shown["schema"], schema, what=(where, name))


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        pytest.param(kind, name, body, id=f"{kind.__name__}-{name}")
        for kind, shown in examples.REQUEST_EXAMPLES.items()
        for name, body in shown.items()
    ],
)
def test_a_body_that_is_shown_is_understood(kind: Any, name: str, body: Any) -> None:
    serializer = kind(data=body)

    assert serializer.is_valid(), serializer.errors


def resolve_reference(part: Any, schema: Any) -> Any:
    """Return the target of a reference, or the part itself."""
    if "$ref" not in part:
        return part
    for step in part["$ref"].removeprefix("#/").split("/"):
        schema = schema[step]
    return schema


def check_example(value: Any, wanted: Any, schema: Any, *, what: object) -> None:
    """Check an example against its schema."""
    whole = {**wanted, "components": schema["components"]}
    faults = list(jsonschema_rs.Draft202012Validator(whole).iter_errors(value))
    assert not faults, (what, [fault.message for fault in faults])
