"""Which rows of a list somebody asks for; what cannot be understood is refused, never ignored."""
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

from backoffice.api import pagination
from backoffice.orders import search
from shared.core import enums
from shared.core.enums import OrderStatus
from shared.raffles import codes
from shared.raffles.models import Order, OrderEvent, PaymentProof

_SPACE_FOR_PLUS: Final = re.compile(r" (?=\d\d:?\d\d$)")
"""What becomes of the plus of an offset that is not written as %2B."""

_BOOLEAN_WORDS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "false": False,
    "0": False,
    "no": False,
}


class _BooleanField(forms.Field):
    """True or false, in words or as 1 and 0; Django's own takes anything else for absent."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if (found := _BOOLEAN_WORDS.get(str(value).lower())) is None:
            raise forms.ValidationError("Write true or false.")
        return found


class _DateTimeField(forms.Field):
    """A time as ISO 8601; without an offset it is one of the seller's time zone."""

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            found = datetime.fromisoformat(_SPACE_FOR_PLUS.sub("+", str(value)))
            zoned = found if found.tzinfo else found.replace(tzinfo=get_default_timezone())
            return zoned.astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError("Write it as 2026-12-12T20:00:00+00:00.") from None


class _CommaSeparatedInput(forms.SelectMultiple):
    """Several values: separated by commas, in parameters of the same name, or both."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        parts = (part.strip() for given in data.getlist(name) for part in given.split(","))
        return [part for part in parts if part]


class ApiFilter(django_filters.Filter):
    """Rows by one thing, and how the schema describes it."""

    schema: Mapping[str, Any]


class ApiIdFilter(ApiFilter):
    """Rows by an id."""

    field_class = forms.IntegerField
    schema: Mapping[str, Any] = MappingProxyType({"type": "integer", "minimum": 1})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, min_value=1, max_value=10**18 - 1, **options)


class ApiTextFilter(ApiFilter):
    """Rows by a word or two."""

    field_class = forms.CharField  # refuses NUL, as databases do
    schema: Mapping[str, Any] = MappingProxyType({"type": "string"})

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, max_length=100, **options)


class ApiTicketNumberFilter(ApiTextFilter):
    """Rows by a ticket number."""

    schema: Mapping[str, Any] = MappingProxyType(
        {"type": "string", "pattern": r"^\s*(#?[0-9]{1,7}\s*)?$"}
    )


class ApiBooleanFilter(ApiFilter):
    """Rows of which something holds, or does not."""

    field_class = _BooleanField
    schema: Mapping[str, Any] = MappingProxyType({"type": "boolean"})


class ApiDateTimeFilter(ApiFilter):
    """Rows by a time."""

    field_class = _DateTimeField
    schema: Mapping[str, Any] = MappingProxyType({"type": "string", "format": "date-time"})


class ApiChoicesFilter(ApiFilter):
    """Rows by one word or several."""

    field_class = forms.MultipleChoiceField

    def __init__(self, field: str, *, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(field, "in", choices=choices, widget=_CommaSeparatedInput, **options)
        words = [value for value, _ in choices]
        self.schema = {"type": "array", "items": {"type": "string", "enum": words}}


class OrderFilterSet(django_filters.FilterSet):
    """What orders are chosen by."""

    status = ApiChoicesFilter(
        "status", choices=enums.build_choices(OrderStatus), help_text="One or several."
    )
    raffle = ApiIdFilter("raffle_id", help_text="Id of the raffle.")
    has_proof = ApiBooleanFilter(method="by_proof", help_text="Whether any payment proof came.")
    under_review = ApiBooleanFilter(method="by_review", help_text="A proof waits for a decision.")
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
        method="by_update",
        help_text="Anything happened to it then or later. Ask with a minute's overlap: what is "
        "just being written has an earlier time. `GET /api/events` misses nothing.",
    )
    buyer = ApiTextFilter(
        method="by_buyer",
        help_text="Phone with or without its plus, user id at Meta, or part of the name.",
    )
    code = ApiTextFilter(method="by_code", help_text="Order code in any spelling.")
    number = ApiTicketNumberFilter(
        method="by_number",
        help_text="A ticket number it holds or once held, with or without its zeros.",
    )

    class Meta:
        """No filters but those above."""

        model = Order
        fields: ClassVar[list[str]] = []

    def by_proof(self, rows: QuerySet[Order], _: str, wanted: bool) -> QuerySet[Order]:
        """Keep orders for which a payment proof came, or none did."""
        proof = Exists(PaymentProof.objects.filter(order=OuterRef("pk")))
        return rows.filter(proof if wanted else ~proof)

    def by_review(self, rows: QuerySet[Order], _: str, wanted: bool) -> QuerySet[Order]:
        """Keep orders that are under review, in the words of their partial index, or the others."""
        return rows.filter(under_review_since__isnull=not wanted)

    def by_update(self, rows: QuerySet[Order], _: str, since: datetime) -> QuerySet[Order]:
        """Keep orders with a line in their history since then.

        Distinct, so that PostgreSQL reads these lines by their time; and of a sum, so that SQLite
        does: else either reads the whole history, order by order.
        """
        lines = OrderEvent.objects.filter(at__gte=since)
        return rows.filter(pk__in=lines.values(of=F("order_id") + 0).distinct())

    def by_buyer(self, rows: QuerySet[Order], _: str, term: str) -> QuerySet[Order]:
        """Keep the orders of a buyer.

        Raises:
            ValidationError: so many buyers match that some would be missing.

        """
        found = search.search_orders_of_buyer(rows, term)
        if found.too_many:
            many = f"{search.MAX_SEARCH_MATCHES:,} buyers or more match; write more of it."
            raise ValidationError({"buyer": [many]})
        return found.orders

    def by_code(self, rows: QuerySet[Order], _: str, code: str) -> QuerySet[Order]:
        """Keep the order of that code."""
        return rows.filter(code=codes.normalise_code(code) or "")

    def by_number(self, rows: QuerySet[Order], _: str, number: str) -> QuerySet[Order]:
        """Keep the orders that hold or once held a ticket number.

        Raises:
            ValidationError: it is none, or so many had it that some would be missing.

        """
        digits = number.strip().removeprefix("#")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 7):  # noqa: PLR2004
            raise ValidationError({"number": ["Write a ticket number, such as 007."]})
        raffle_id = self.form.cleaned_data["raffle"]
        having, had = search.find_orders_with_ticket_number(int(digits), raffle_id=raffle_id)
        if len(having | had) >= search.MAX_SEARCH_MATCHES:
            raise ValidationError(
                {"number": [f"{search.MAX_SEARCH_MATCHES:,} orders or more had it."]}
            )
        return rows.filter(pk__in=having | had)


def filter_rows[Row: Any](
    kind: type[django_filters.FilterSet], query: QueryDict, rows: QuerySet[Row]
) -> QuerySet[Row]:
    """Keep the rows that an address asks for; an empty value counts as absent.

    Args:
        kind: the filters there are.
        query: of the request's address.
        rows: of the whole list.

    Raises:
        ValidationError: with each parameter that is unknown, repeated or malformed.

    """
    several = {name for name, one in kind.base_filters.items() if isinstance(one, ApiChoicesFilter)}
    known = {*kind.base_filters, *pagination.PAGE_PARAMETERS}
    pagination.refuse_unknown_parameters(query, known=known, several=several)
    filters = kind(query, queryset=rows)
    if not filters.is_valid():
        raise ValidationError({name: list(said) for name, said in filters.errors.items()})
    found: QuerySet[Row] = filters.qs
    return found


def build_filter_parameters(kind: type[django_filters.FilterSet]) -> list[OpenApiParameter]:
    """Describe the filters and what every list takes, for the schema."""
    filters = ((name, one) for name, one in kind.base_filters.items() if isinstance(one, ApiFilter))
    return [
        OpenApiParameter(
            name,
            dict(one.schema),
            description=one.extra["help_text"],
            explode=False if isinstance(one, ApiChoicesFilter) else None,
            style="form" if isinstance(one, ApiChoicesFilter) else None,
        )
        for name, one in filters
    ] + pagination.build_page_parameters()
