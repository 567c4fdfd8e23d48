"""Tests that names used by data or other systems have not changed."""

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
