"""Checked access to the fields of a request; every error has Meta's text."""

from collections.abc import Collection, Mapping
from typing import Any

from deploy.sandbox import graph_errors


def measure_text(text: str) -> int:
    """Return the larger of code points and UTF-16 units; Meta does not say how emoji count."""
    return max(len(text), len(text.encode("utf-16-le", "surrogatepass")) // 2)


def read_object(holder: Mapping[str, Any], key: str, *, path: str) -> Mapping[str, Any]:
    """Return the JSON object under `key`; `path` is used in errors."""
    if holder.get(key) is None:
        raise graph_errors.build_missing_parameter_error(path)
    value = holder[key]
    if not isinstance(value, Mapping):
        raise graph_errors.build_schema_error(f"Param {path} must be a JSON object.")
    return value


def read_array(holder: Mapping[str, Any], key: str, *, path: str) -> list[Mapping[str, Any]]:
    """Return the JSON array of objects under `key`; `path` is used in errors."""
    if holder.get(key) is None:
        raise graph_errors.build_missing_parameter_error(path)
    value = holder[key]
    if not isinstance(value, list):
        raise graph_errors.build_schema_error(f"Param {path} must be an array.")
    for place, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise graph_errors.build_schema_error(f"Param {path}[{place}] must be a JSON object.")
    return value


def read_text(
    holder: Mapping[str, Any],
    key: str,
    *,
    path: str,
    label: str,
    maximum: int,
    optional: bool = False,
) -> str:
    """Return the text under `key`, which may not be blank or longer than `maximum` (131009)."""
    value = read_string(holder, key, path=path, optional=optional)
    if value is None:
        return ""
    if not value.strip() or measure_text(value) > maximum:
        raise graph_errors.build_invalid_value_error(
            f"{label} length invalid. Min length: 1, Max length: {maximum}"
        )
    return value


def read_string(
    holder: Mapping[str, Any], key: str, *, path: str, optional: bool = False
) -> str | None:
    """Return the string under `key`, or None if it is optional and absent."""
    value = holder.get(key)
    if value is None:
        if optional:
            return None
        raise graph_errors.build_missing_parameter_error(path)
    if not isinstance(value, str):
        raise graph_errors.build_schema_error(f"Param {path} must be a string.")
    return value


def check_known_keys(holder: Mapping[str, Any], allowed: Collection[str], *, path: str) -> None:
    """Check that the object has no keys that Meta does not know."""
    for key in holder:
        if key not in allowed:
            raise graph_errors.build_schema_error(f'Unexpected key "{key}" on param "{path}".')


def check_unique(values: Collection[str], *, label: str) -> None:
    """Check that no value occurs twice."""
    if len(set(values)) != len(values):
        raise graph_errors.build_invalid_value_error(
            f"Duplicated {label}. Each {label} must be unique within a message"
        )


def read_identifier(holder: Mapping[str, Any], *, path: str, label: str, maximum: int) -> str:
    """Return the id of an object, which may not begin or end with spaces."""
    value = read_text(holder, "id", path=f"{path}['id']", label=label, maximum=maximum)
    if value != value.strip():
        raise graph_errors.build_invalid_value_error(
            f"{label} must not have leading or trailing spaces"
        )
    return value


def check_web_address(value: str, *, path: str) -> None:
    """Check that the value is an http or https URL."""
    if not value.startswith(("https://", "http://")) or any(sign.isspace() for sign in value):
        raise graph_errors.build_schema_error(f"Param {path} is not a valid URI.")
