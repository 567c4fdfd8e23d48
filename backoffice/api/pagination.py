"""Pagination of long lists by id instead of by page number.

A workflow that confirms orders while it reads pages changes the results of
`status=PENDING_PAYMENT`. With page numbers it would skip as many orders as it confirmed; with ids
it skips none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from backoffice.api import links, query_params

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200

PAGE_PARAMETERS: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "page_size": (
        {"type": "integer", "minimum": 1, "default": DEFAULT_PAGE_SIZE},
        f"Rows of a page; more than {MAX_PAGE_SIZE} are cut to {MAX_PAGE_SIZE}.",
    ),
    "after": ({"type": "integer", "minimum": 0}, "What follows this id; `next` has it."),
    "before": ({"type": "integer", "minimum": 0}, "What leads up to this id; `previous` has it."),
    "ordering": (
        {"type": "string", "enum": ["id", "-id"]},
        "`id`: the oldest first; `-id`: the newest first.",
    ),
}
"""Query parameters of every list: JSON Schema and description by name."""

_ORDERINGS: Final = ("id", "-id")
_INSTRUCTION: Final = "Give a whole number"
"""First words of the error message for a malformed number of a list; clients know them."""


@dataclass(frozen=True, slots=True)
class RowPage[Row: Model]:
    """The rows of a page, with the count of all rows and links to the neighbouring pages."""

    rows: list[Row]
    count: int
    next: str | None
    previous: str | None

    @property
    def response_fields(self) -> dict[str, Any]:
        """The fields of a `PageResponse` other than its results."""
        return {"count": self.count, "next": self.next, "previous": self.previous}


class IdPaginator:
    """Paginator of querysets for a request such as `?after=<id>&page_size=100&ordering=-id`."""

    def __init__(self, request: Request, *, ordering: str = "id") -> None:
        """Parse the parameters of the request.

        Args:
            request: the request; its address is also the base of the links.
            ordering: `id` or `-id`, the default of the parameter `ordering`.

        Raises:
            ValidationError: a parameter is malformed, or both `after` and `before` are there.

        """
        query = request.query_params
        self._request = request
        size = query_params.parse_whole_number(
            query, "page_size", least=1, default=DEFAULT_PAGE_SIZE, instruction=_INSTRUCTION
        )
        self._size = min(size, MAX_PAGE_SIZE)
        self._after = query_params.parse_whole_number(
            query, "after", least=0, default=None, instruction=_INSTRUCTION
        )
        self._before = query_params.parse_whole_number(
            query, "before", least=0, default=None, instruction=_INSTRUCTION
        )
        self._ordering = query.get("ordering") or ordering
        if self._ordering not in _ORDERINGS:
            raise ValidationError({"ordering": ["Choose id or -id."]})
        if self._after is not None and self._before is not None:
            raise ValidationError({"before": ["Give after or before, not both."]})

    def get_page[Row: Model](
        self, queryset: QuerySet[Row], *, load_from: QuerySet[Row] | None = None
    ) -> RowPage[Row]:
        """Return the page that the request names.

        The first query selects ids only, which an index covers, and the second one loads their
        rows, so that the database neither sorts nor joins rows of other pages. A third query may
        count all rows, and the prefetches of `load_from` come on top.

        Args:
            queryset: the rows of all pages, in any order.
            load_from: all rows, with the related rows to load; None: `queryset` itself.

        """
        descending, backwards = self._ordering == "-id", self._before is not None
        mark = self._before if backwards else self._after
        falling = descending != backwards
        rows = queryset.order_by("-id" if falling else "id")
        if mark is not None:
            rows = rows.filter(**{"id__lt" if falling else "id__gt": mark})
        ids = list(rows.values_list("pk", flat=True)[: self._size + 1])
        more, ids = len(ids) > self._size, ids[: self._size]
        if backwards:
            ids.reverse()
        has_next = bool(ids) if backwards else more
        has_previous = more if backwards else bool(ids) and mark is not None
        return RowPage(
            rows=_load_rows(queryset if load_from is None else load_from, ids),
            count=len(ids) if mark is None and not more else queryset.order_by().count(),
            next=self._build_link(after=ids[-1]) if has_next else None,
            previous=self._build_link(before=ids[0]) if has_previous else None,
        )

    def _build_link(self, **mark: int) -> str:
        query = self._request.query_params.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        query.update({name: str(value) for name, value in mark.items()})
        return links.build_link_with_query(self._request, query.urlencode())


def build_page_parameters() -> list[OpenApiParameter]:
    """Return the OpenAPI description of the parameters of every list."""
    return [
        OpenApiParameter(name, dict(schema), description=words)
        for name, (schema, words) in PAGE_PARAMETERS.items()
    ]


def _load_rows[Row: Model](queryset: QuerySet[Row], ids: list[int]) -> list[Row]:
    """Return rows in the order of their ids, without rows that were deleted meanwhile."""
    rows = {row.pk: row for row in queryset.order_by().filter(pk__in=ids)} if ids else {}
    return [rows[key] for key in ids if key in rows]
