"""Hooks of drf-spectacular that change the OpenAPI document as a whole."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from backoffice.ui import ids

_SHARED_RESPONSE_NAMES: Final = {
    "401": "Unauthenticated",
    "403": "ScopeMissing",
    "413": "TooLarge",
    "415": "UnsupportedMediaType",
    "429": "Throttled",
    "503": "DatabaseBusy",
}
"""Names of the responses that many operations share, by HTTP status."""


def strip_trailing_slashes(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[Any]:
    """Remove the optional trailing slash from each path."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


def name_components(result: Any, **_: Any) -> Any:
    """Rename the schemas of responses to their titles, without the suffix of their classes."""
    schemas = result["components"]["schemas"]
    names = {
        key: schema.get("title", key).removesuffix("Response") for key, schema in schemas.items()
    }
    refs = {
        f"#/components/schemas/{key}": f"#/components/schemas/{name}" for key, name in names.items()
    }
    result["components"]["schemas"] = dict(
        sorted((names[key], schema) for key, schema in schemas.items())
    )
    return _replace_refs(result, refs)


def tidy_fields(result: Any, **_: Any) -> Any:
    """Remove the titles that pydantic generates, and add limits that hold for all values."""
    for name, component in result["components"].get("schemas", {}).items():
        component.pop("title", None)
        for field in component.get("properties", {}).values():
            field.pop("title", None)
            if name.endswith("Request"):
                _forbid_nul(field)
    for operation in _iterate_operations(result):
        for parameter in operation.get("parameters", ()):
            _forbid_nul(parameter["schema"])
            _limit_integer(parameter["schema"])
            if parameter["in"] == "query":
                parameter["allowEmptyValue"] = True  # the same as an absent parameter
    return result


def share_components(result: Any, **_: Any) -> Any:
    """Move responses and examples that many operations share to the components."""
    responses: dict[str, Any] = {}
    examples: dict[str, Any] = {}
    for operation in _iterate_operations(result):
        for status, answer in operation["responses"].items():
            if status in _SHARED_RESPONSE_NAMES:
                name = _name_shared_response(status, answer)
                if responses.setdefault(name, answer) == answer:
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
            elif not status.startswith("2"):
                _share_examples(answer["content"]["application/json"]["examples"], examples)
    result["components"] |= {"examples": examples, "responses": responses}
    return result


def _replace_refs(part: Any, refs: Mapping[str, str]) -> Any:
    match part:
        case dict():
            return {
                key: refs.get(value, value) if key == "$ref" else _replace_refs(value, refs)
                for key, value in part.items()
            }
        case list() | tuple():
            return [_replace_refs(each, refs) for each in part]
        case _:
            return part


def _iterate_operations(result: Any) -> Iterator[Any]:
    return chain.from_iterable(path.values() for path in result["paths"].values())


def _name_shared_response(status: str, answer: Any) -> str:
    """Return the name of a shared response; responses 403 differ by the required scope."""
    [example, *_] = answer["content"]["application/json"]["examples"].values()
    detail = example["value"]["detail"]
    needed = detail.get("needed", "") if isinstance(detail, dict) else ""
    return f"{needed.title()}{_SHARED_RESPONSE_NAMES[status]}"


def _share_examples(shown: dict[str, Any], examples: dict[str, Any]) -> None:
    for name, example in shown.items():
        if examples.setdefault(name, example) == example:
            shown[name] = {"$ref": f"#/components/examples/{name}"}


def _forbid_nul(field: dict[str, Any]) -> None:
    """Add a pattern without NUL to a field of arbitrary text: PostgreSQL cannot store NUL."""
    kinds = field.get("type", ())
    if "string" in kinds and not {"enum", "format", "pattern", "const"} & field.keys():
        field["pattern"] = "^[^\\u0000]*$"


def _limit_integer(parameter: dict[str, Any]) -> None:
    """Add the largest id as the maximum of an integer parameter without a maximum."""
    if parameter.get("type") == "integer":
        parameter.setdefault("maximum", ids.MAX_ID)
