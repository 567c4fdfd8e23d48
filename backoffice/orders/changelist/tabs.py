"""The filters above the list of orders: tabs for the most used ones, selects for the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.views.main import ChangeList

from backoffice.changelists.selects import FilterSelect
from backoffice.orders.changelist.filters import (
    OrderDecisionFilter,
    OrderExpiryFilter,
    OrderReviewFilter,
    OrderSaleFilter,
)

TAB_FILTERS: Final = (OrderReviewFilter, OrderExpiryFilter, OrderDecisionFilter, OrderSaleFilter)
"""Filters whose values are tabs."""

_TAB_PARAMETERS: Final = [str(tab.parameter_name) for tab in TAB_FILTERS]


@dataclass(frozen=True, slots=True)
class FilterTab:
    """A link to one value of a filter; `here` if it is chosen."""

    words: str
    address: str
    here: bool


def build_tabs(changes: ChangeList, *, total: int) -> list[FilterTab]:
    """Return a tab for all orders, and one for each value of `TAB_FILTERS`.

    Args:
        changes: Django's list with its filters.
        total: The count of orders in the chosen raffle, or in all.

    """
    none_chosen = not any(changes.params.get(name) for name in [*_TAB_PARAMETERS, "status"])
    all_url = changes.get_query_string(remove=[*_TAB_PARAMETERS, "status", "o"])
    tabs = [FilterTab(f"All ({total:,})", str(all_url), here=none_chosen)]
    for spec in _list_filters(changes):
        if isinstance(spec, TAB_FILTERS):
            tabs += [
                _build_tab(changes, spec, value, str(words)) for value, words in spec.lookup_choices
            ]
    return tabs


def _build_tab(changes: ChangeList, spec: Any, value: str, words: str) -> FilterTab:
    chosen = {spec.parameter_name: value}
    address = changes.get_query_string(chosen, remove=[*_TAB_PARAMETERS, "status", "o"])
    return FilterTab(words, str(address), here=spec.value() == value)


def build_selects(changes: ChangeList) -> list[FilterSelect]:
    """Return the filters that are not tabs."""
    return [
        FilterSelect(
            name=spec.parameter_name,
            title=spec.title,
            options=tuple(spec.lookup_choices),
            chosen=spec.value() or "",
        )
        for spec in _list_filters(changes)
        if not isinstance(spec, TAB_FILTERS)
    ]


def collect_kept_parameters(changes: ChangeList) -> Mapping[str, str]:
    """Return the other parameters of the address, which a search keeps."""
    shown = {"q", *(select.name for select in build_selects(changes))}
    return {name: value for name, value in changes.params.items() if name not in shown and value}


def _list_filters(changes: ChangeList) -> list[Any]:
    return list(changes.filter_specs)
