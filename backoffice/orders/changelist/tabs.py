"""The filters of the list of orders as they are drawn: tabs for what presses, else selects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.views.main import ChangeList

from backoffice.changelists.filters import ByDecision, ByExpiry, ByReview, BySale

TABS: Final = (ByReview, ByExpiry, ByDecision, BySale)
"""Filters whose answers are tabs."""

_OF_TABS: Final = [str(one.parameter_name) for one in TABS]


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to one answer of a filter; `here` while it is chosen."""

    words: str
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A filter with its answers in a list."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


def tabs(changes: ChangeList, *, total: int) -> list[Tab]:
    """Give all orders, and each answer of the filters that are tabs.

    Args:
        changes: Django's list with its filters.
        total: how many orders there are in the chosen raffle, or in all.

    """
    none = not any(changes.params.get(name) for name in [*_OF_TABS, "status"])
    everything = changes.get_query_string(remove=[*_OF_TABS, "status", "o"])
    found = [Tab(f"All ({total:,})", str(everything), here=none)]
    for spec in _specs(changes):
        if isinstance(spec, TABS):
            found += [
                _tab(changes, spec, value, str(words)) for value, words in spec.lookup_choices
            ]
    return found


def _tab(changes: ChangeList, spec: Any, value: str, words: str) -> Tab:
    chosen = {spec.parameter_name: value}
    address = changes.get_query_string(chosen, remove=[*_OF_TABS, "status", "o"])
    return Tab(words, str(address), here=spec.value() == value)


def selects(changes: ChangeList) -> list[Select]:
    """Give the filters that are no tabs."""
    return [
        Select(
            name=spec.parameter_name,
            title=spec.title,
            options=tuple(spec.lookup_choices),
            chosen=spec.value() or "",
        )
        for spec in _specs(changes)
        if not isinstance(spec, TABS)
    ]


def kept(changes: ChangeList) -> Mapping[str, str]:
    """Give what else is in the address and stays when something is searched for."""
    shown = {"q", *(select.name for select in selects(changes))}
    return {name: value for name, value in changes.params.items() if name not in shown and value}


def _specs(changes: ChangeList) -> list[Any]:
    return list(changes.filter_specs)
