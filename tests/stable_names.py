"""Names stored in data or used by other systems, which moving or renaming code must not change.

`stable_names.json` lists the names by kind, and for each kind what depends on them. A test in
`tests/unit` compares the list with the code. After adding a name on purpose, update the list with

    uv run python -m tests.stable_names

The command never removes a name: remove it by hand, together with a migration.
"""

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILE: Final = Path(__file__).with_suffix(".json")
PACKAGES: Final = ("shared", "gateway", "backoffice", "deploy")

REPLIES: Final = frozenset({"Reply", "build_long_reply"})
"""Calls whose first argument is the key of an outgoing message."""
ALARMS: Final = frozenset({"alarms.sound_alarm"})
"""Calls whose first argument is the key of an alarm."""
LOGGERS: Final = frozenset({"_log", "logger"})
"""Names of loggers; the first argument of their methods is the event name."""
FAULTS: Final = frozenset({"error_logging.log_error"})
"""Calls whose second argument is the event name of an error."""


def collect(kind: str) -> set[str]:
    """Return the names of a kind that are in the code now."""
    return set(KINDS[kind]())


def load() -> dict[str, dict[str, Any]]:
    """Return the list: `held_by` and `names` by kind."""
    listed: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return listed


def main() -> None:
    """Add the names that are new in the code to the list."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    listed = load()
    for kind, known in listed.items():
        known["names"] = sorted({*known["names"], *collect(kind)})
    FILE.write_text(json.dumps(listed, indent=1, ensure_ascii=False) + "\n")


# ── Database ────────────────────────────────────────────────────────────────────────────────────


def _list_own_apps() -> list[Any]:
    from django.apps import apps

    return [config for config in apps.get_app_configs() if _is_own(Path(config.path))]


def _is_own(path: Path) -> bool:
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES


def _list_own_models() -> Iterator[Any]:
    for config in _list_own_apps():
        yield from config.get_models()


def _list_app_labels() -> Iterator[str]:
    from django.apps import apps

    yield from (config.label for config in apps.get_app_configs())


def _list_columns() -> Iterator[str]:
    for model in _list_own_models():
        for field in model._meta.local_concrete_fields:
            if field.column:
                yield f"{model._meta.db_table}.{field.column}"


def _list_models() -> Iterator[str]:
    yield from (model._meta.label for model in _list_own_models())


def _list_constraints() -> Iterator[str]:
    for model in _list_own_models():
        for rule in (*model._meta.constraints, *model._meta.indexes):
            yield f"{model._meta.db_table}: {rule.name}"


def _list_migrations() -> Iterator[str]:
    from django.db.migrations.loader import MigrationLoader

    own = {config.label for config in _list_own_apps()}
    for label, name in MigrationLoader(None).disk_migrations:
        if label in own:
            yield f"{label}.{name}"


def _list_permissions() -> Iterator[str]:
    from django.contrib.auth.management import _get_all_permissions  # type: ignore[attr-defined]

    for model in _list_own_models():
        for codename, _ in _get_all_permissions(model._meta):
            yield f"{model._meta.app_label}.{codename}"


def _list_stored_values() -> Iterator[str]:
    for model in _list_own_models():
        for field in model._meta.local_concrete_fields:
            for value, _ in field.flatchoices:
                yield f"{model._meta.label}.{field.name}: {value}"


def _list_context_keys() -> Iterator[str]:
    from shared.conversation.context import Context
    from shared.core.enums import Mode

    full = Context(
        raffle_id=1,
        mode=Mode.PICK,
        qty=1,
        draft_order_id=1,
        picked_numbers=(1,),
        yes_button_id="?",
        misses=1,
        question_message_id=1,
    )
    yield from full.to_json()


def _list_button_ids() -> Iterator[str]:
    from shared.conversation import button_ids

    yield from (button_ids.build_button_id(do) for do in button_ids.ButtonAction)


# ── Other systems ───────────────────────────────────────────────────────────────────────────────


def _list_addresses() -> Iterator[str]:
    from django.urls import get_resolver

    yield from _walk_addresses(get_resolver().url_patterns, path="/", namespace="")


def _walk_addresses(patterns: Iterable[Any], *, path: str, namespace: str) -> Iterator[str]:
    from django.urls import URLResolver

    for pattern in patterns:
        # the converter `id` is `int` with a bound
        here = path + str(pattern.pattern).removeprefix("^").replace("<id:", "<int:")
        if isinstance(pattern, URLResolver):
            inside = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk_addresses(pattern.url_patterns, path=here, namespace=inside)
        else:
            yield f"{_sort_choices(here)} {namespace}{pattern.name or ''}".rstrip(": ")


def _sort_choices(path: str) -> str:
    """Sort the app labels in the admin's URL patterns, which are in the order of registration."""
    return re.sub(
        r"(?<=<app_label>)[a-z_|]+", lambda found: "|".join(sorted(found[0].split("|"))), path
    )


def _list_commands() -> Iterator[str]:
    for config in _list_own_apps():
        folder = Path(config.path) / "management" / "commands"
        yield from (f"manage {file.stem}" for file in folder.glob("[a-z]*.py"))
    for entry in importlib.metadata.distribution("raffle-tickets-bot").entry_points:
        yield entry.name
    from deploy.cli import app

    for command in app.registered_commands:
        assert command.callback is not None
        yield f"rafflebot {command.name or command.callback.__name__}"


def _list_variables() -> Iterator[str]:
    written = (ROOT / ".env.example").read_text()
    yield from re.findall(r"(?m)^#? ?([A-Z][A-Z_]+)=", written)


def _list_folders() -> Iterator[str]:
    """Yield the default folders, relative to the project's root or to the media folder."""
    from django.conf import settings

    from shared.core.config import Settings

    default = Settings.model_construct()
    storages: Any = settings.STORAGES
    media = storages["default"]["OPTIONS"]["location"]
    proofs = storages["proofs"]["OPTIONS"]["location"]
    yield f"database: {Path(default.resolved_database_url.removeprefix('sqlite:///')).relative_to(ROOT)}"
    yield f"media: {default.media_folder.relative_to(ROOT)}"
    yield f"proofs: {{media}}/{proofs.relative_to(media)}"
    yield f"static files: {settings.STATIC_ROOT.relative_to(ROOT)}"
    for model in _list_own_models():
        for field in model._meta.local_concrete_fields:
            if hasattr(field, "upload_to"):
                yield f"{model._meta.label}.{field.name}: {field.upload_to}"


def _list_cookies() -> Iterator[str]:
    from django.conf import settings

    yield from (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)


def _list_refusals() -> Iterator[str]:
    from django.urls import get_resolver

    from shared.core.errors import DomainError

    assert get_resolver().url_patterns  # loads all views, and with them all errors
    kinds: list[type[DomainError]] = [DomainError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        if kind.__module__.startswith(PACKAGES):
            yield kind.code


# ── Names found in the source ───────────────────────────────────────────────────────────────────


def _list_message_keys() -> Iterator[str]:
    yield from _find_arguments(lambda called: called in REPLIES)


def _list_alarm_keys() -> Iterator[str]:
    yield from _find_arguments(lambda called: called in ALARMS)
    writers = {
        _get_dotted_name(call.args[0].func).rpartition(".")[2]
        for call in _find_calls(lambda called: called in ALARMS)
        if isinstance(call.args[0], ast.Call)
    }
    for node in _list_nodes():
        if isinstance(node, ast.FunctionDef) and node.name in writers:
            yield from _read_returned(node)


def _read_returned(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            yield from _read_texts(node.value, {})


def _list_log_events() -> Iterator[str]:
    def is_logged(called: str) -> bool:
        logger, _, method = called.rpartition(".")
        return logger in LOGGERS and method in {"debug", "info", "warning", "error", "exception"}

    yield from _find_arguments(is_logged)
    yield from _find_arguments(lambda called: called in FAULTS, position=1)


def _list_texts() -> Iterator[str]:
    """Yield the listed texts that are still string constants in the source."""
    written = {
        node.value.decode() if isinstance(node.value, bytes) else node.value
        for node in _list_nodes()
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    }
    yield from written.intersection(load()["texts"]["names"])


def _list_modules() -> Iterator[str]:
    """Yield the listed modules that can still be imported."""
    for name in load()["modules"]["names"]:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            continue
        if found is not None:
            yield name


def _list_session_backends() -> Iterator[str]:
    from django.conf import settings

    yield settings.SESSION_ENGINE
    yield from settings.AUTHENTICATION_BACKENDS


def _find_calls(wanted: Callable[[str], bool]) -> Iterator[ast.Call]:
    yield from (call for called, call in _list_calls() if wanted(called))


def _find_arguments(wanted: Callable[[str], bool], *, position: int = 0) -> Iterator[str]:
    """Yield one text argument of the wanted calls, with `{}` for each variable part."""
    for call in _find_calls(wanted):
        yield from _read_texts(call.args[position], _read_constants())


def _read_texts(node: ast.expr, constants: Mapping[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield _write_template(node)
        case ast.IfExp():
            yield from _read_texts(node.body, constants)
            yield from _read_texts(node.orelse, constants)
        case ast.Name() if node.id in constants:
            yield constants[node.id]


def _write_template(node: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


@cache
def _read_constants() -> Mapping[str, str]:
    """Return the values of the module-level string constants by name."""
    return {
        node.target.id: node.value.value
        for tree in _read_source().values()
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


@cache
def _list_calls() -> Sequence[tuple[str, ast.Call]]:
    """Return the calls with arguments, each with the name that is called."""
    return [
        (_get_dotted_name(node.func), node)
        for node in _list_nodes()
        if isinstance(node, ast.Call) and node.args
    ]


def _get_dotted_name(node: ast.expr) -> str:
    """Return a name such as `alarms.sound_alarm`, or what is known of its end."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_get_dotted_name(node.value)}.{node.attr}"
    return ""


@cache
def _list_nodes() -> Sequence[ast.AST]:
    """Return all parts of the syntax trees."""
    return [node for tree in _read_source().values() for node in ast.walk(tree)]


@cache
def _read_source() -> dict[Path, ast.Module]:
    """Return the syntax trees of the product's modules, except the sandbox of Meta's API."""
    return {
        file: ast.parse(file.read_text())
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        if "sandbox" not in file.parts
    }


KINDS: Final[Mapping[str, Callable[[], Iterable[str]]]] = {
    "app labels": _list_app_labels,
    "models": _list_models,
    "columns": _list_columns,
    "constraints and indexes": _list_constraints,
    "migrations": _list_migrations,
    "permissions": _list_permissions,
    "stored values": _list_stored_values,
    "context keys": _list_context_keys,
    "button ids": _list_button_ids,
    "message keys": _list_message_keys,
    "alarm keys": _list_alarm_keys,
    "addresses": _list_addresses,
    "commands": _list_commands,
    "variables": _list_variables,
    "folders": _list_folders,
    "cookies": _list_cookies,
    "refusals": _list_refusals,
    "log events": _list_log_events,
    "texts": _list_texts,
    "modules": _list_modules,
    "session backends": _list_session_backends,
}

if __name__ == "__main__":
    main()
