"""What is done with the OpenAPI document as a whole, before and after it is put together."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

_SHARED_RESPONSE_NAMES: Final = {
    "401": "Unauthenticated",
    "403": "ScopeMissing",
    "413": "TooLarge",
    "415": "UnsupportedMediaType",
    "429": "Throttled",
    "503": "DatabaseBusy",
}
"""Answers that many operations have in common, by their status."""

_MAX_INTEGER: Final = 10**18 - 1


def strip_trailing_slashes(endpoints: Iterable[tuple[str, str, str, Any]]) -> list[Any]:
    """Name each address without the slash that may stand at its end."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


def name_components(result: Any, **_: Any) -> Any:
    """Name the schemas of answers by their title, without the suffix of their classes."""
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
    """Say what holds for all text, and leave out the titles pydantic gives each field."""
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
                parameter["allowEmptyValue"] = True  # as good as none
    return result


def share_components(result: Any, **_: Any) -> Any:
    """Write once what many operations have in common, and refer to it."""
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
    """Name an answer; those about scopes differ by the scope that is needed."""
    [example, *_] = answer["content"]["application/json"]["examples"].values()
    detail = example["value"]["detail"]
    needed = detail.get("needed", "") if isinstance(detail, dict) else ""
    return f"{needed.title()}{_SHARED_RESPONSE_NAMES[status]}"


def _share_examples(shown: dict[str, Any], examples: dict[str, Any]) -> None:
    for name, example in shown.items():
        if examples.setdefault(name, example) == example:
            shown[name] = {"$ref": f"#/components/examples/{name}"}


def _forbid_nul(field: dict[str, Any]) -> None:
    """Say of a field that its text, if it may be any, has no NUL: PostgreSQL could not keep it."""
    kinds = field.get("type", ())
    if "string" in kinds and not {"enum", "format", "pattern", "const"} & field.keys():
        field["pattern"] = "^[^\\u0000]*$"


def _limit_integer(parameter: dict[str, Any]) -> None:
    """Say of a number in an address what holds for all: a longer one is no key of a database."""
    if parameter.get("type") == "integer":
        parameter.setdefault("maximum", _MAX_INTEGER)
