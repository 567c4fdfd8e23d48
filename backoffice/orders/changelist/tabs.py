"""The tabs above the list of orders: the values of the most used filters."""

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
    specs: list[Any] = list(changes.filter_specs)
    for spec in specs:
        if isinstance(spec, TAB_FILTERS):
            tabs += [
                _build_tab(changes, spec, value, str(words)) for value, words in spec.lookup_choices
            ]
    return tabs


def _build_tab(changes: ChangeList, spec: Any, value: str, words: str) -> FilterTab:
    chosen = {spec.parameter_name: value}
    address = changes.get_query_string(chosen, remove=[*_TAB_PARAMETERS, "status", "o"])
    return FilterTab(words, str(address), here=spec.value() == value)
