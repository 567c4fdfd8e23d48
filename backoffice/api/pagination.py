"""Pages of long lists, cut by id and not by number.

A workflow that confirms orders while it pages changes what `status=PENDING_PAYMENT` lists; page
numbers would then skip as many orders as were confirmed, ids skip none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from shared.publishing.representations import Representation

DEFAULT_PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200
"""Rows of a page, unless asked for otherwise and at most."""

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
"""What every list takes in its address: the schema of each, and a sentence."""

_ORDERINGS: Final = ("id", "-id")
_MAX_ID_DIGITS: Final = 18
"""A longer number is no id of either database."""
_LOCAL_HOSTS: Final = ("127.0.0.1", "localhost", "::1")
_FORWARDED_HEADERS: Final = (
    "Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
)


class PageResponse[Row](Representation):
    """A page of a list, and where the list goes on."""

    count: int
    next: str | None
    previous: str | None
    results: list[Row]


@dataclass(frozen=True, slots=True)
class RowPage[Row: Model]:
    """The rows of a page and what stands beside them in the answer."""

    rows: list[Row]
    count: int
    next: str | None
    previous: str | None

    @property
    def links(self) -> dict[str, Any]:
        """The fields of `Page` other than its results."""
        return {"count": self.count, "next": self.next, "previous": self.previous}


class IdPaginator:
    """Cuts pages out of querysets as a request asks: `?after=<id>&page_size=100&ordering=-id`."""

    def __init__(self, request: Request, *, ordering: str = "id") -> None:
        """Read what the request asks for.

        Args:
            request: the request; also the base of the links.
            ordering: `id` or `-id`, where the request does not say.

        Raises:
            ValidationError: some of it is malformed.

        """
        self._request = request
        self._size = min(
            _parse_whole_number(request, "page_size", least=1) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
        )
        self._after = _parse_whole_number(request, "after", least=0)
        self._before = _parse_whole_number(request, "before", least=0)
        self._ordering = request.query_params.get("ordering") or ordering
        if self._ordering not in _ORDERINGS:
            raise ValidationError({"ordering": ["Choose id or -id."]})
        if self._after is not None and self._before is not None:
            raise ValidationError({"before": ["Give after or before, not both."]})

    def of[Row: Model](
        self, found: QuerySet[Row], *, reading: QuerySet[Row] | None = None
    ) -> RowPage[Row]:
        """Cut the page that was asked for.

        Ids are found first, which an index has, then their rows: the database neither sorts nor
        joins what is not on the page. Two queries, a third to count, and those of `reading`.

        Args:
            found: the rows of all pages, in any order.
            reading: all rows, with what is to be read along; None: as in `found`.

        """
        descending, backwards = self._ordering == "-id", self._before is not None
        mark = self._before if backwards else self._after
        falling = descending != backwards
        rows = found.order_by("-id" if falling else "id")
        if mark is not None:
            rows = rows.filter(**{"id__lt" if falling else "id__gt": mark})
        ids = list(rows.values_list("pk", flat=True)[: self._size + 1])
        more, ids = len(ids) > self._size, ids[: self._size]
        if backwards:
            ids.reverse()
        onward = bool(ids) if backwards else more
        back = more if backwards else bool(ids) and mark is not None
        return RowPage(
            rows=_load_rows(found if reading is None else reading, ids),
            count=len(ids) if mark is None and not more else found.order_by().count(),
            next=self._link(after=ids[-1]) if onward else None,
            previous=self._link(before=ids[0]) if back else None,
        )

    def _link(self, **mark: int) -> str:
        query = self._request.query_params.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        query.update({name: str(value) for name, value in mark.items()})
        return f"{build_base_url(self._request)}{self._request.path}?{query.urlencode()}"


def _load_rows[Row: Model](reading: QuerySet[Row], ids: list[int]) -> list[Row]:
    """Read rows in the order of their ids; one that was deleted meanwhile is left out."""
    rows = {row.pk: row for row in reading.order_by().filter(pk__in=ids)} if ids else {}
    return [rows[key] for key in ids if key in rows]


def build_page_parameters() -> list[OpenApiParameter]:
    """Describe for the schema what every list takes."""
    return [
        OpenApiParameter(name, dict(schema), description=words)
        for name, (schema, words) in PAGE_PARAMETERS.items()
    ]


def build_base_url(request: Request) -> str:
    """Give scheme and host of links that lead back here, such as `https://raffles.example`.

    `PUBLIC_URL` is the truth, for a proxy may pass on any host and scheme. Only who called this
    machine by a name of its own and came through no proxy, such as a curl beside it, is sent back
    the same way.
    """
    host = request.get_host()
    here = urlsplit(f"//{host}").hostname in _LOCAL_HOSTS
    if here and not any(name in request.headers for name in _FORWARDED_HEADERS):
        return f"{request.scheme}://{host}"
    public = urlsplit(settings.PUBLIC_URL)
    return f"{public.scheme}://{public.netloc}"


def refuse_unknown_parameters(
    query: QueryDict, *, known: Collection[str], several: Collection[str] = ()
) -> None:
    """Go on only if every parameter is known and given once: a typo must not list everything.

    Args:
        query: of the request's address.
        known: names that mean something.
        several: those of them that may come more than once.

    Raises:
        ValidationError: with a sentence for each parameter that is unknown or repeated.

    """
    faults = {name: ["There is no such parameter."] for name in query if name not in known}
    faults |= {
        name: ["Give it once."]
        for name, values in query.lists()
        if name in known and name not in several and len(values) > 1
    }
    if faults:
        raise ValidationError(faults)


def _parse_whole_number(request: Request, name: str, *, least: int) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    digits = text.isascii() and text.isdecimal() and len(text) <= _MAX_ID_DIGITS
    if not digits or int(text) < least:
        raise ValidationError({name: [f"Give a whole number, {least} or more."]})
    return int(text)
