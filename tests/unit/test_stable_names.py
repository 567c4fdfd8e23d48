"""Tests that names used by data or other systems have not changed."""

import ast
from collections.abc import Iterator

from tests import stable_names
from tests.cases import walk_cases

LISTED = stable_names.load()


@walk_cases("kind", stable_names.KINDS)
def test_stays_as_it_is_known_outside(kind: str) -> None:
    listed, names = set(LISTED[kind]["names"]), stable_names.collect(kind)

    gone, new = sorted(listed - names), sorted(names - listed)

    assert not gone, f"These {kind} are gone: {gone}. They are held by: {LISTED[kind]['held_by']}"
    assert not new, f"These {kind} are new: {new}. Add them: uv run python -m tests.stable_names"


def test_lists_every_kind() -> None:
    assert set(LISTED) == set(stable_names.KINDS)


def test_every_alarm_is_sounded_with_a_key_that_the_list_can_read() -> None:
    for call in find_sounded_alarms():
        where = ast.unparse(call)
        assert ast.unparse(call.func) in stable_names.ALARMS, where
        assert call.args, where
        assert isinstance(call.args[0], ast.Constant | ast.JoinedStr | ast.Call), where


def find_sounded_alarms() -> Iterator[ast.Call]:
    """Yield every call that sounds an alarm."""
    for node in stable_names._list_nodes():
        match node:
            case ast.Call(func=ast.Name(id="sound_alarm") | ast.Attribute(attr="sound_alarm")):
                yield node
