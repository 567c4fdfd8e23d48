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
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from shared.conversation.described import Described

PAGE_SIZE: Final = 50
MOST: Final = 200
"""Rows of a page, unless asked for otherwise and at most."""

PARAMETERS: Final[Mapping[str, str]] = {
    "page_size": f"Rows of a page: {PAGE_SIZE} unless asked for, {MOST} at most.",
    "after": "The page that follows this id; `next` has it.",
    "before": "The page that leads up to this id; `previous` has it.",
    "ordering": "`id`: the oldest first; `-id`: the newest first.",
}
"""What every list takes in its address, with a sentence about each."""

_ORDERINGS: Final = ("id", "-id")
_DIGITS: Final = 18
"""A longer number is no id of either database."""
_THIS_MACHINE: Final = ("127.0.0.1", "localhost", "::1")
_FORWARDED: Final = ("Forwarded", "X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto")


class Page[Row](Described):
    """A page of a list, and where the list goes on."""

    count: int
    next: str | None
    previous: str | None
    results: list[Row]


@dataclass(frozen=True, slots=True)
class Cut[Row: Model]:
    """The rows of a page and what stands beside them in the answer."""

    rows: list[Row]
    count: int
    next: str | None
    previous: str | None

    @property
    def links(self) -> dict[str, Any]:
        """The fields of `Page` other than its results."""
        return {"count": self.count, "next": self.next, "previous": self.previous}


class IdPages:
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
        self._size = min(_number(request, "page_size", least=1) or PAGE_SIZE, MOST)
        self._after = _number(request, "after", least=0)
        self._before = _number(request, "before", least=0)
        self._ordering = request.query_params.get("ordering") or ordering
        if self._ordering not in _ORDERINGS:
            raise ValidationError({"ordering": ["Choose id or -id."]})
        if self._after is not None and self._before is not None:
            raise ValidationError({"before": ["Give after or before, not both."]})

    def of[Row: Model](self, found: QuerySet[Row], *, count: int | None = None) -> Cut[Row]:
        """Cut the page that was asked for; one query, a second to count.

        Args:
            found: the rows of all pages, in any order.
            count: how many they are, where it is known already.

        """
        descending, backwards = self._ordering == "-id", self._before is not None
        mark = self._before if backwards else self._after
        falling = descending != backwards
        rows = found.order_by("-id" if falling else "id")
        if mark is not None:
            rows = rows.filter(**{"id__lt" if falling else "id__gt": mark})
        page = list(rows[: self._size + 1])
        more, page = len(page) > self._size, page[: self._size]
        if backwards:
            page.reverse()
        onward = bool(page) if backwards else more
        back = more if backwards else bool(page) and mark is not None
        return Cut(
            rows=page,
            count=found.order_by().count() if count is None else count,
            next=self._link(after=page[-1].pk) if onward else None,
            previous=self._link(before=page[0].pk) if back else None,
        )

    def _link(self, **mark: int) -> str:
        query = self._request.query_params.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        query.update({name: str(value) for name, value in mark.items()})
        return f"{base(self._request)}{self._request.path}?{query.urlencode()}"


def base(request: Request) -> str:
    """Give scheme and host of links that lead back here, such as `https://raffles.example`.

    `PUBLIC_URL` is the truth, for a proxy may pass on any host and scheme. Only who called this
    machine by a name of its own and came through no proxy, such as a curl beside it, is sent back
    the same way.
    """
    host = request.get_host()
    here = urlsplit(f"//{host}").hostname in _THIS_MACHINE
    if here and not any(name in request.headers for name in _FORWARDED):
        return f"{request.scheme}://{host}"
    public = urlsplit(settings.PUBLIC_URL)
    return f"{public.scheme}://{public.netloc}"


def refuse_unknown(
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


def _number(request: Request, name: str, *, least: int) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    digits = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    if not digits or int(text) < least:
        raise ValidationError({name: [f"Give a whole number, {least} or more."]})
    return int(text)
