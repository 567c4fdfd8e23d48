"""What an export holds: its columns, and its rows one after the other, never all at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import batched
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min, Q, Sum
from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from backoffice.orders.exports.cells import Value, moment
from shared.core import enums
from shared.core.enums import OrderStatus
from shared.raffles.models import Order, OrderTicket, Raffle

CHUNK: Final = 1_000
"""Rows that are read at once."""

_CENT: Final = Decimal("0.01")
_BUYER: Final = ("profile_name", "username", "wa_id")


class What(StrEnum):
    """What there is a row of."""

    NUMBERS = "NUMBERS"
    ORDERS = "ORDERS"
    BUYERS = "BUYERS"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export: of one raffle or of all, with one status or with any."""

    what: What
    raffle: Raffle | None
    status: OrderStatus | None

    def orders(self) -> Q:
        """Give the condition on orders."""
        condition = Q()
        if self.raffle is not None:
            condition &= Q(raffle=self.raffle)
        if self.status is not None:
            condition &= Q(status=self.status)
        return condition


class AsItIs(Widget):
    """Leaves a value to the writer of the file, who knows how a cell is written."""

    def render(self, value: Any, obj: Any = None, **_: Any) -> Any:  # noqa: ARG002 - its signature
        """Give the value."""
        return value


def _column(name: str, attribute: str) -> Field:
    return Field(column_name=name, attribute=attribute, widget=AsItIs())


class NumberColumns(Resource):
    """A row a ticket number that is held or sold."""

    number = _column("Number", "number")
    raffle = _column("Raffle", "raffle")
    code = _column("Order", "code")
    status = _column("Status", "status")
    buyer = _column("Buyer", "buyer")
    phone = _column("Phone", "phone")
    price = _column("Price", "price")
    currency = _column("Currency", "currency")
    created = _column("Ordered at", "created")
    closed = _column("Paid at", "closed")
    sold = _column("Sold", "sold")


class OrderColumns(Resource):
    """A row an order."""

    code = _column("Order", "code")
    raffle = _column("Raffle", "raffle")
    status = _column("Status", "status")
    buyer = _column("Buyer", "buyer")
    phone = _column("Phone", "phone")
    quantity = _column("How many", "quantity")
    numbers = _column("Numbers", "numbers")
    price = _column("Price", "price")
    total = _column("Total", "total")
    currency = _column("Currency", "currency")
    created = _column("Ordered at", "created")
    placed = _column("Confirmed at", "placed")
    closed = _column("Paid or ended at", "closed")
    sold = _column("Sold", "sold")


class BuyerColumns(Resource):
    """A row a buyer and currency, with totals."""

    buyer = _column("Buyer", "buyer")
    phone = _column("Phone", "phone")
    orders = _column("Orders", "orders")
    quantity = _column("Numbers", "quantity")
    total = _column("Total", "total")
    currency = _column("Currency", "currency")
    first = _column("First order at", "first")
    last = _column("Last order at", "last")
    sold = _column("Sold", "sold")


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and rows that are read as they are asked for."""

    headings: list[str]
    rows: Iterator[list[Value]]


type Row = dict[str, Value]


def table(wanted: Wanted, *, zone: str) -> Table:
    """Give what is wanted; nothing is read before the first row is asked for.

    Args:
        wanted: what to export.
        zone: the time zone of rows that belong to no raffle.

    """
    columns: Resource
    match wanted.what:
        case What.NUMBERS:
            columns, rows = NumberColumns(), _numbers(wanted)
        case What.ORDERS:
            columns, rows = OrderColumns(), _orders(wanted)
        case What.BUYERS:
            at = wanted.raffle.time_zone if wanted.raffle else zone
            columns, rows = BuyerColumns(), _buyers(wanted, zone=ZoneInfo(at))
    return Table(columns.get_export_headers(), _read(columns, rows))


def _read(columns: Resource, rows: Iterable[Row]) -> Iterator[list[Value]]:
    # `Resource.export` would build the whole table in memory before the first byte leaves.
    fields = columns.get_export_fields()
    for row in rows:
        instance: Any = row  # a dict will do for an instance, which the stubs do not know
        yield [field.export(instance) for field in fields]


def _numbers(wanted: Wanted) -> Iterator[Row]:
    condition = Q(released_at=None)
    if wanted.raffle is not None:
        condition &= Q(ticket__raffle=wanted.raffle)
    if wanted.status is not None:
        condition &= Q(order__status=wanted.status)
    found = OrderTicket.objects.filter(condition).order_by("ticket__raffle_id", "ticket__number")
    raffles = _Raffles(wanted)
    fields = ("raffle_id", *_ORDER, *(f"contact__{name}" for name in _BUYER))
    for number, *values in found.values_list(
        "ticket__number", *(f"order__{name}" for name in fields)
    ).iterator(CHUNK):
        order = dict(zip(fields, values, strict=True))
        raffle = raffles[order["raffle_id"]]
        yield {**_shared(order, raffle), "number": raffle.written(number)}


def _orders(wanted: Wanted) -> Iterator[Row]:
    fields = (
        "pk",
        "raffle_id",
        "quantity",
        "total",
        "placed_at",
        *_ORDER,
        *(f"contact__{name}" for name in _BUYER),
    )
    found = Order.objects.filter(wanted.orders()).order_by("pk").values(*fields)
    raffles = _Raffles(wanted)
    for orders in batched(found.iterator(CHUNK), CHUNK):
        numbers = _numbers_of([order["pk"] for order in orders])
        for order in orders:
            raffle = raffles[order["raffle_id"]]
            yield {
                **_shared(order, raffle),
                "quantity": order["quantity"],
                "numbers": " ".join(map(raffle.written, numbers[order["pk"]])),
                "total": order["total"],
                "placed": _local(order["placed_at"], zone=ZoneInfo(raffle.time_zone)),
            }


def _buyers(wanted: Wanted, *, zone: tzinfo) -> Iterator[Row]:
    who = ("contact_id", *(f"contact__{name}" for name in _BUYER), "buyer_name", "buyer_phone")
    found = Order.objects.filter(wanted.orders()).values(*who, "currency")
    totals = found.annotate(
        orders=Count("pk"),
        numbers=Sum("quantity"),
        paid=Sum("total"),
        first=Min("created_at"),
        last=Max("created_at"),
    )
    for buyer in totals.order_by(*who, "currency").iterator(CHUNK):
        yield {
            **_who(buyer),
            "orders": buyer["orders"],
            "quantity": buyer["numbers"],
            "total": Decimal(buyer["paid"]).quantize(_CENT),  # SQLite adds up as floats
            "currency": buyer["currency"],
            "first": _local(buyer["first"], zone=zone),
            "last": _local(buyer["last"], zone=zone),
        }


_ORDER: Final = (
    "code",
    "status",
    "unit_price",
    "currency",
    "created_at",
    "closed_at",
    "contact_id",
    "buyer_name",
    "buyer_phone",
)


def _shared(order: Mapping[str, Any], raffle: Raffle) -> dict[str, Value]:
    zone = ZoneInfo(raffle.time_zone)
    return {
        **_who(order),
        "raffle": raffle.title,
        "code": order["code"],
        "status": _STATUS[order["status"]],
        "price": order["unit_price"],
        "currency": order["currency"],
        "created": _local(order["created_at"], zone=zone),
        "closed": _local(order["closed_at"], zone=zone),
    }


def _who(order: Mapping[str, Any]) -> dict[str, Value]:
    if order["contact_id"] is None:
        name, phone, sold = order["buyer_name"], order["buyer_phone"], "for cash"
    else:
        name = order["contact__profile_name"] or order["contact__username"]
        phone = f"+{order['contact__wa_id']}" if order["contact__wa_id"] else ""
        sold = "over WhatsApp"
    return {"buyer": name, "phone": phone, "sold": sold}


_STATUS: Final = {status.value: enums.format_label(status) for status in OrderStatus}


def _numbers_of(order_ids: list[int]) -> dict[int, list[int]]:
    """Give the numbers each order holds or, once released, held last; ascending."""
    ends: dict[int, dict[datetime | None, list[int]]] = defaultdict(lambda: defaultdict(list))
    links = OrderTicket.objects.filter(order_id__in=order_ids).order_by("ticket__number")
    for order_id, number, released in links.values_list(
        "order_id", "ticket__number", "released_at"
    ):
        ends[order_id][released].append(number)
    return defaultdict(
        list,
        {
            pk: by_end[None] if None in by_end else by_end[max(filter(None, by_end))]
            for pk, by_end in ends.items()
        },
    )


def _local(at: datetime | None, *, zone: tzinfo) -> str | None:
    return moment(at.astimezone(zone) if at else None)


class _Raffles(dict[int, Raffle]):
    """Raffles by id, each read once."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__({wanted.raffle.pk: wanted.raffle} if wanted.raffle else {})

    def __missing__(self, pk: int) -> Raffle:
        self[pk] = raffle = Raffle.objects.get(pk=pk)
        return raffle
