"""Filters of lists by query parameters; a malformed value is an error and never ignored."""
# ruff: noqa: ARG002 - Django gives these arguments

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, Final

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import QueryDict
from django.utils.timezone import get_default_timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError

from backoffice.api import pagination, query_params
from backoffice.messaging.contacts.contact_search import MAX_SEARCH_MATCHES
from backoffice.orders import search
from backoffice.ui import ids
from shared.core import enums
from shared.core.enums import OrderStatus
from shared.raffles import codes
from shared.raffles.models import Order, OrderEvent, PaymentProof

_SPACE_FOR_PLUS: Final = re.compile(r" (?=\d\d:?\d\d$)")
"""A space before a UTC offset: a plus sign that was not encoded as %2B."""

_BOOLEAN_WORDS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "false": False,
    "0": False,
    "no": False,
}


class _BooleanField(forms.Field):
    """Boolean as a word or as 1 or 0; Django's own field ignores any other text."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if (boolean := _BOOLEAN_WORDS.get(str(value).lower())) is None:
            raise forms.ValidationError("Write true or false.")
        return boolean


class _DateTimeField(forms.Field):
    """Time as ISO 8601; without an offset it is in the seller's time zone."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            time = datetime.fromisoformat(_SPACE_FOR_PLUS.sub("+", str(value)))
            zoned = time if time.tzinfo else time.replace(tzinfo=get_default_timezone())
            return zoned.astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError("Write it as 2026-12-12T20:00:00+00:00.") from None


class _CommaSeparatedInput(forms.SelectMultiple):
    """Widget for several values: separated by commas, in repeated parameters, or both."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return query_params.parse_list(data, name)


class ApiFilter(django_filters.Filter):
    """Filter with a JSON Schema for the OpenAPI document; base of the filters below."""

    schema: Mapping[str, Any]


class ApiIdFilter(ApiFilter):
    """Filter by id."""

    field_class = forms.IntegerField
    schema: Mapping[str, Any] = MappingProxyType({"type": "integer", "minimum": 1})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, min_value=1, max_value=ids.MAX_ID, **options)


class ApiTextFilter(ApiFilter):
    """Filter by a short text."""

    field_class = forms.CharField  # rejects NUL, which PostgreSQL cannot store
    schema: Mapping[str, Any] = MappingProxyType({"type": "string"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, max_length=100, **options)


class ApiTicketNumberFilter(ApiTextFilter):
    """Filter by ticket number."""

    schema: Mapping[str, Any] = MappingProxyType(
        {
            "type": "string",
            "pattern": rf"^\s*(#?[0-9]{{1,{query_params.MAX_TICKET_NUMBER_DIGITS}}}\s*)?$",
        }
    )


class ApiBooleanFilter(ApiFilter):
    """Filter by a boolean."""

    field_class = _BooleanField
    schema: Mapping[str, Any] = MappingProxyType({"type": "boolean"})


class ApiDateTimeFilter(ApiFilter):
    """Filter by time."""

    field_class = _DateTimeField
    schema: Mapping[str, Any] = MappingProxyType({"type": "string", "format": "date-time"})


class ApiChoicesFilter(ApiFilter):
    """Filter by one or several of a fixed list of words."""

    field_class = forms.MultipleChoiceField

    def __init__(self, field: str, *, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(field, "in", choices=choices, widget=_CommaSeparatedInput, **options)
        words = [value for value, _ in choices]
        self.schema = {"type": "array", "items": {"type": "string", "enum": words}}


class OrderFilterSet(django_filters.FilterSet):
    """Filters of the list of orders."""

    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(OrderStatus), help_text="One or several."
    )
    raffle = ApiIdFilter("raffle_id", help_text="Id of the raffle.")
    has_proof = ApiBooleanFilter(
        method="filter_by_proof", help_text="Whether any payment proof came."
    )
    under_review = ApiBooleanFilter(
        method="filter_by_review", help_text="A proof waits for a decision."
    )
    needs_decision = ApiBooleanFilter(
        "needs_decision", help_text="Paid too late: a person must decide."
    )
    created_since = ApiDateTimeFilter(
        "created_at", lookup_expr="gte", help_text="Made then or later."
    )
    created_before = ApiDateTimeFilter("created_at", lookup_expr="lt", help_text="Made earlier.")
    placed_since = ApiDateTimeFilter(
        "placed_at", lookup_expr="gte", help_text="Placed then or later."
    )
    updated_since = ApiDateTimeFilter(
        method="filter_by_update",
        help_text="Anything happened to it then or later. Ask with a minute's overlap: what is "
        "just being written has an earlier time. `GET /api/events` misses nothing.",
    )
    buyer = ApiTextFilter(
        method="filter_by_buyer",
        help_text="Phone as people dial it, user id at Meta, or part of the name.",
    )
    code = ApiTextFilter(method="filter_by_code", help_text="Order code in any spelling.")
    number = ApiTicketNumberFilter(
        method="filter_by_ticket_number",
        help_text="A ticket number it holds or once held, with or without its zeros.",
    )

    search = ApiTextFilter(
        method="filter_by_search",
        help_text="As on the page of orders: code, phone, name or ticket number, in any spelling.",
    )

    class Meta:
        """Model without generated filters."""

        model = Order
        fields: ClassVar[list[str]] = []

    def filter_by_proof(self, rows: QuerySet[Order], _: str, wanted: bool) -> QuerySet[Order]:
        """Keep orders that have a payment proof, or those that have none."""
        proof = Exists(PaymentProof.objects.filter(order=OuterRef("pk")))
        return rows.filter(proof if wanted else ~proof)

    def filter_by_review(self, rows: QuerySet[Order], _: str, wanted: bool) -> QuerySet[Order]:
        """Keep orders that are under review, or the others.

        The condition is that of the partial index of orders under review.
        """
        return rows.filter(under_review_since__isnull=not wanted)

    def filter_by_update(self, rows: QuerySet[Order], _: str, since: datetime) -> QuerySet[Order]:
        """Keep orders with a history entry at that time or later.

        `DISTINCT` makes PostgreSQL use the index on the time of the entries, and the sum makes
        SQLite use it; without them both read the whole history of each order.
        """
        entries = OrderEvent.objects.filter(at__gte=since)
        return rows.filter(pk__in=entries.values(of=F("order_id") + 0).distinct())

    def filter_by_buyer(self, rows: QuerySet[Order], _: str, term: str) -> QuerySet[Order]:
        """Keep the orders of a buyer.

        Raises:
            ValidationError: too many buyers match, so the result would be incomplete.

        """
        result = search.search_orders_of_buyer(rows, term)
        refuse_too_many_buyers(result.too_many, parameter="buyer")
        return result.orders

    def filter_by_search(self, rows: QuerySet[Order], _: str, term: str) -> QuerySet[Order]:
        """Keep the orders that the same search finds on the page.

        Raises:
            ValidationError: too many buyers match, so the result would be incomplete.

        """
        raffle_id = self.form.cleaned_data["raffle"]
        wanted = search.parse_search_term(term)
        result = search.search_orders(rows, wanted, raffle_id=raffle_id, sort=False)
        refuse_too_many_buyers(result.too_many, parameter="search")
        return result.orders

    def filter_by_code(self, rows: QuerySet[Order], _: str, code: str) -> QuerySet[Order]:
        """Keep the order with a code, in any spelling."""
        return rows.filter(code=codes.normalise_code(code) or "")

    def filter_by_ticket_number(self, rows: QuerySet[Order], _: str, text: str) -> QuerySet[Order]:
        """Keep the orders that hold or once held a ticket number.

        Raises:
            ValidationError: the text is not a ticket number, or too many orders match, so the
                result would be incomplete.

        """
        number = ids.parse_digits(
            text.strip().removeprefix("#"), most=query_params.MAX_TICKET_NUMBER
        )
        if number is None:
            raise ValidationError({"number": ["Write a ticket number, such as 007."]})
        raffle_id = self.form.cleaned_data["raffle"]
        having, had = search.find_orders_with_ticket_number(number, raffle_id=raffle_id)
        if len(having | had) >= MAX_SEARCH_MATCHES:
            raise ValidationError({"number": [f"{MAX_SEARCH_MATCHES:,} orders or more had it."]})
        return rows.filter(pk__in=having | had)


def refuse_too_many_buyers(too_many: bool, *, parameter: str) -> None:
    """Refuse a search whose result would be incomplete.

    Raises:
        ValidationError: too many buyers match.

    """
    if too_many:
        message = f"{MAX_SEARCH_MATCHES:,} buyers or more match; write more of it."
        raise ValidationError({parameter: [message]})


def filter_rows[Row: Any](
    kind: type[django_filters.FilterSet], query: QueryDict, rows: QuerySet[Row]
) -> QuerySet[Row]:
    """Return the rows that match a query; an empty value counts as absent.

    Args:
        kind: the filter set of the list.
        query: the query of the request.
        rows: all rows of the list.

    Raises:
        ValidationError: with each parameter that is unknown, repeated or malformed.

    """
    several = {
        name for name, each in kind.base_filters.items() if isinstance(each, ApiChoicesFilter)
    }
    known = {*kind.base_filters, *pagination.PAGE_PARAMETERS}
    query_params.refuse_unknown_parameters(query, known=known, several=several)
    filters = kind(query, queryset=rows)
    if not filters.is_valid():
        raise ValidationError({name: list(faults) for name, faults in filters.errors.items()})
    matching: QuerySet[Row] = filters.qs
    return matching


def build_filter_parameters(kind: type[django_filters.FilterSet]) -> list[OpenApiParameter]:
    """Return the OpenAPI description of a filter set and of the parameters of every list."""
    return [
        OpenApiParameter(
            name,
            dict(each.schema),
            description=each.extra["help_text"],
            explode=False if isinstance(each, ApiChoicesFilter) else None,
            style="form" if isinstance(each, ApiChoicesFilter) else None,
        )
        for name, each in kind.base_filters.items()
        if isinstance(each, ApiFilter)
    ] + pagination.build_page_parameters()
