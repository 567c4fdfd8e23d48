"""The filters of the list of orders as they are drawn: tabs for what presses, else selects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.views.main import ChangeList

from backoffice.orders.changelist.filters import (
    OrderDecisionFilter,
    OrderExpiryFilter,
    OrderReviewFilter,
    OrderSaleFilter,
)

TAB_FILTERS: Final = (OrderReviewFilter, OrderExpiryFilter, OrderDecisionFilter, OrderSaleFilter)
"""Filters whose answers are tabs."""

_TAB_PARAMETERS: Final = [str(one.parameter_name) for one in TAB_FILTERS]


@dataclass(frozen=True, slots=True)
class FilterTab:
    """A link to one answer of a filter; `here` while it is chosen."""

    words: str
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class OrderFilterSelect:
    """A filter with its answers in a list."""

    name: str
    title: str
    options: tuple[tuple[str, str], ...]
    chosen: str


def build_tabs(changes: ChangeList, *, total: int) -> list[FilterTab]:
    """Give all orders, and each answer of the filters that are tabs.

    Args:
        changes: Django's list with its filters.
        total: how many orders there are in the chosen raffle, or in all.

    """
    none = not any(changes.params.get(name) for name in [*_TAB_PARAMETERS, "status"])
    everything = changes.get_query_string(remove=[*_TAB_PARAMETERS, "status", "o"])
    found = [FilterTab(f"All ({total:,})", str(everything), here=none)]
    for spec in _list_filters(changes):
        if isinstance(spec, TAB_FILTERS):
            found += [
                _build_tab(changes, spec, value, str(words)) for value, words in spec.lookup_choices
            ]
    return found


def _build_tab(changes: ChangeList, spec: Any, value: str, words: str) -> FilterTab:
    chosen = {spec.parameter_name: value}
    address = changes.get_query_string(chosen, remove=[*_TAB_PARAMETERS, "status", "o"])
    return FilterTab(words, str(address), here=spec.value() == value)


def build_selects(changes: ChangeList) -> list[OrderFilterSelect]:
    """Give the filters that are no tabs."""
    return [
        OrderFilterSelect(
            name=spec.parameter_name,
            title=spec.title,
            options=tuple(spec.lookup_choices),
            chosen=spec.value() or "",
        )
        for spec in _list_filters(changes)
        if not isinstance(spec, TAB_FILTERS)
    ]


def collect_kept_parameters(changes: ChangeList) -> Mapping[str, str]:
    """Give what else is in the address and stays when something is searched for."""
    shown = {"q", *(select.name for select in build_selects(changes))}
    return {name: value for name, value in changes.params.items() if name not in shown and value}


def _list_filters(changes: ChangeList) -> list[Any]:
    return list(changes.filter_specs)
