"""Columns and rows of an export; rows are read in batches, never all at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import batched
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min, Q, Sum

from backoffice.orders import source_labels
from backoffice.orders.exports.cells import CellValue, format_iso_time
from backoffice.orders.exports.selection import ExportKind, ExportSelection
from shared.core import enums
from shared.core.enums import ActorKind, LedgerKind, OrderStatus
from shared.raffles import order_sources
from shared.raffles.models import LedgerEntry, Order, OrderTicket, Raffle
from shared.raffles.services.queries import order_queries, refund_queries

ROWS_PER_QUERY: Final = 1_000
"""Rows per batch."""

_CENT: Final = Decimal("0.01")
_CONTACT_FIELDS: Final = ("profile_name", "username", "wa_id")


_HEADINGS: Final[Mapping[ExportKind, Mapping[str, str]]] = {
    ExportKind.NUMBERS: {
        "number": "Number",
        "raffle": "Raffle",
        "code": "Order",
        "status": "Status",
        "buyer": "Buyer",
        "phone": "Phone",
        "price": "Price",
        "currency": "Currency",
        "created": "Ordered at",
        "closed": "Paid at",
        "sold": "Sold",
    },
    ExportKind.ORDERS: {
        "code": "Order",
        "raffle": "Raffle",
        "status": "Status",
        "buyer": "Buyer",
        "phone": "Phone",
        "quantity": "How many",
        "numbers": "Numbers",
        "price": "Price",
        "total": "Total",
        "currency": "Currency",
        "created": "Ordered at",
        "placed": "Confirmed by the buyer at",
        "closed": "Paid or ended at",
        "sold": "Sold",
        "confirmed_by": "Payment confirmed by",
        "confirmed_at": "Payment confirmed at",
        "source": "Came by",
        "source_id": "Ad id",
    },
    ExportKind.BUYERS: {
        "buyer": "Buyer",
        "phone": "Phone",
        "orders": "Orders",
        "quantity": "Numbers",
        "total": "Total",
        "currency": "Currency",
        "first": "First order at",
        "last": "Last order at",
        "sold": "Sold",
    },
    ExportKind.REFUNDS: {
        "code": "Order",
        "raffle": "Raffle",
        "state": "Refund",
        "buyer": "Buyer",
        "phone": "Phone",
        "amount": "Amount",
        "currency": "Currency",
        "reference": "Reference",
        "who": "By",
        "at": "Refunded at",
        "sold": "Sold",
    },
    ExportKind.MONEY: {
        "at": "Date",
        "kind": "Kind",
        "code": "Order",
        "raffle": "Raffle",
        "buyer": "Buyer",
        "amount": "Amount",
        "late": "Late refund",
        "currency": "Currency",
        "reference": "Reference",
        "by": "By",
    },
}
"""For each kind of rows, the heading of each column by its key in the rows."""


@dataclass(frozen=True, slots=True)
class ExportTable:
    """The headings of an export, and an iterator that reads its rows in batches."""

    headings: list[str]
    rows: Iterator[list[CellValue]]


type ExportRow = dict[str, CellValue]


def build_export_table(wanted: ExportSelection, *, zone: str, now: datetime) -> ExportTable:
    """Return a table whose first batch is read with its first row.

    Args:
        wanted: The orders and the kind of rows.
        zone: IANA name of the time zone of rows that belong to no raffle.
        now: The current time.

    """
    match wanted.what:
        case ExportKind.NUMBERS:
            rows = _iterate_ticket_number_rows(wanted)
        case ExportKind.ORDERS:
            rows = _iterate_order_rows(wanted)
        case ExportKind.BUYERS:
            at = wanted.raffle.time_zone if wanted.raffle else zone
            rows = _iterate_buyer_rows(wanted, zone=ZoneInfo(at))
        case ExportKind.REFUNDS:
            rows = _iterate_refund_rows(wanted, now=now)
        case ExportKind.MONEY:
            rows = _iterate_ledger_rows(wanted)
    columns = _HEADINGS[wanted.what]
    return ExportTable(list(columns.values()), ([row[key] for key in columns] for row in rows))


def _iterate_ticket_number_rows(wanted: ExportSelection) -> Iterator[ExportRow]:
    condition = Q(released_at=None)
    if wanted.raffle is not None:
        condition &= Q(ticket__raffle=wanted.raffle)
    if wanted.status is not None:
        condition &= Q(order__status=wanted.status)
    condition &= wanted.build_time_condition("order__created_at")
    found = OrderTicket.objects.filter(condition).order_by("ticket__raffle_id", "ticket__number")
    raffles = _RaffleCache(wanted)
    fields = ("raffle_id", *_ORDER_FIELDS, *(f"contact__{name}" for name in _CONTACT_FIELDS))
    for number, *values in found.values_list(
        "ticket__number", *(f"order__{name}" for name in fields)
    ).iterator(ROWS_PER_QUERY):
        order = dict(zip(fields, values, strict=True))
        raffle = raffles[order["raffle_id"]]
        yield {**_build_order_cells(order, raffle), "number": raffle.format_ticket_number(number)}


def _iterate_order_rows(wanted: ExportSelection) -> Iterator[ExportRow]:
    fields = (
        "pk",
        "raffle_id",
        "quantity",
        "total",
        "placed_at",
        *_SOURCE_FIELDS,
        *_ORDER_FIELDS,
        *(f"contact__{name}" for name in _CONTACT_FIELDS),
    )
    found = Order.objects.filter(wanted.build_order_condition()).order_by("pk").values(*fields)
    raffles = _RaffleCache(wanted)
    for orders in batched(found.iterator(ROWS_PER_QUERY), ROWS_PER_QUERY):
        keys = [order["pk"] for order in orders]
        numbers = order_queries.load_ticket_numbers(keys)
        confirmations = _load_confirmations(keys)
        for order in orders:
            raffle = raffles[order["raffle_id"]]
            yield {
                **_build_order_cells(order, raffle),
                "quantity": order["quantity"],
                "numbers": " ".join(map(raffle.format_ticket_number, numbers[order["pk"]])),
                "total": order["total"],
                "placed": _format_local_time(order["placed_at"], zone=ZoneInfo(raffle.time_zone)),
                **_build_confirmation_cells(confirmations.get(order["pk"]), raffle),
                **_build_source_cells(order),
            }


_SOURCE_FIELDS: Final = ("source_kind", "source_name", "source_id")


def _build_source_cells(order: Mapping[str, Any]) -> ExportRow:
    source = order_sources.build_source(*(order[name] for name in _SOURCE_FIELDS))
    return {
        "source": source_labels.describe_source(source) or None,
        "source_id": source.id or None if source else None,
    }


def _load_confirmations(order_ids: list[int]) -> dict[int, LedgerEntry]:
    """Return the last confirmation of each order's payment, also one that was taken back."""
    found = LedgerEntry.objects.filter(order__in=order_ids, kind=LedgerKind.CONFIRMED)
    return {entry.order_id: entry for entry in found.order_by("pk")}


def _build_confirmation_cells(entry: LedgerEntry | None, raffle: Raffle) -> ExportRow:
    if entry is None:
        return {"confirmed_by": None, "confirmed_at": None}
    return {
        "confirmed_by": entry.actor_label or enums.format_label(ActorKind(entry.actor_kind)),
        "confirmed_at": _format_local_time(entry.at, zone=ZoneInfo(raffle.time_zone)),
    }


def _iterate_buyer_rows(wanted: ExportSelection, *, zone: tzinfo) -> Iterator[ExportRow]:
    buyer_fields = (
        "contact_id",
        *(f"contact__{name}" for name in _CONTACT_FIELDS),
        "buyer_name",
        "buyer_phone",
    )
    found = Order.objects.filter(wanted.build_order_condition()).values(*buyer_fields, "currency")
    totals = found.annotate(
        orders=Count("pk"),
        numbers=Sum("quantity"),
        paid=Sum("total"),
        first=Min("created_at"),
        last=Max("created_at"),
    )
    for buyer in totals.order_by(*buyer_fields, "currency").iterator(ROWS_PER_QUERY):
        yield {
            **_build_buyer_cells(buyer),
            "orders": buyer["orders"],
            "quantity": buyer["numbers"],
            "total": Decimal(buyer["paid"]).quantize(_CENT),  # SQLite sums as floats
            "currency": buyer["currency"],
            "first": _format_local_time(buyer["first"], zone=zone),
            "last": _format_local_time(buyer["last"], zone=zone),
        }


def _iterate_refund_rows(wanted: ExportSelection, *, now: datetime) -> Iterator[ExportRow]:
    """Yield the refunds to make, oldest first, then those that were made, newest first."""
    raffle_id = wanted.raffle.pk if wanted.raffle else None
    raffles = _RaffleCache(wanted)
    fields = (
        "raffle_id",
        "total",
        *_ORDER_FIELDS,
        *(f"contact__{name}" for name in _CONTACT_FIELDS),
    )
    to_make = refund_queries.query_orders_to_refund(now=now, raffle_id=raffle_id).values(*fields)
    for order in to_make.iterator(ROWS_PER_QUERY):
        raffle = raffles[order["raffle_id"]]
        cells = _build_order_cells(order, raffle)
        yield {
            **cells,
            "state": "to make",
            "amount": order["total"],
            "reference": None,
            "who": None,
            "at": None,
        }
    made = refund_queries.query_refunds(raffle_id=raffle_id)
    made = made.select_related("order__contact")
    for entry in made.iterator(ROWS_PER_QUERY):
        yield _build_refund_cells(entry, raffles[entry.raffle_id])


def _build_refund_cells(entry: LedgerEntry, raffle: Raffle) -> ExportRow:
    order = entry.order
    buyer = {name: getattr(order, name) for name in ("contact_id", "buyer_name", "buyer_phone")}
    contact = {f"contact__{name}": getattr(order.contact, name, "") for name in _CONTACT_FIELDS}
    return {
        **_build_buyer_cells({**buyer, **contact}),
        "code": order.code,
        "raffle": raffle.title,
        "state": "made",
        "amount": entry.amount,
        "currency": entry.currency,
        "reference": entry.reference,
        "who": entry.actor_label or entry.actor_kind.lower(),
        "at": _format_local_time(entry.at, zone=ZoneInfo(raffle.time_zone)),
    }


def _iterate_ledger_rows(wanted: ExportSelection) -> Iterator[ExportRow]:
    """Yield a row per ledger entry; the sum of the amounts is money in minus money back.

    A late refund was never confirmed, so its amount stands in a column of its own.
    """
    fields = (
        *("raffle_id", "kind", "amount", "currency", "reference", "at"),
        *("actor_kind", "actor_label", "order__code", "order__contact_id"),
        *("order__buyer_name", "order__buyer_phone"),
        *(f"order__contact__{name}" for name in _CONTACT_FIELDS),
    )
    found = LedgerEntry.objects.order_by("pk").values(*fields)
    raffles = _RaffleCache(wanted)
    chosen = found if wanted.raffle is None else found.filter(raffle=wanted.raffle)
    chosen = chosen.filter(wanted.build_time_condition("at"))
    for entry in chosen.iterator(ROWS_PER_QUERY):
        order = {key.removeprefix("order__"): value for key, value in entry.items()}
        raffle = raffles[entry["raffle_id"]]
        kind = LedgerKind(entry["kind"])
        late = kind == LedgerKind.LATE_REFUNDED
        yield {
            **_build_buyer_cells(order),
            "at": _format_local_time(entry["at"], zone=ZoneInfo(raffle.time_zone)),
            "kind": enums.format_label(kind),
            "code": order["code"],
            "raffle": raffle.title,
            "amount": None if late else _SIGNS[kind] * entry["amount"],
            "late": entry["amount"] if late else None,
            "currency": entry["currency"],
            "reference": entry["reference"],
            "by": entry["actor_label"] or enums.format_label(ActorKind(entry["actor_kind"])),
        }


_SIGNS: Final = {LedgerKind.CONFIRMED: 1, LedgerKind.UNDONE: -1, LedgerKind.REFUNDED: -1}

_ORDER_FIELDS: Final = (
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


def _build_order_cells(order: Mapping[str, Any], raffle: Raffle) -> dict[str, CellValue]:
    zone = ZoneInfo(raffle.time_zone)
    return {
        **_build_buyer_cells(order),
        "raffle": raffle.title,
        "code": order["code"],
        "status": _STATUS_LABELS[order["status"]],
        "price": order["unit_price"],
        "currency": order["currency"],
        "created": _format_local_time(order["created_at"], zone=zone),
        "closed": _format_local_time(order["closed_at"], zone=zone),
    }


def _build_buyer_cells(order: Mapping[str, Any]) -> dict[str, CellValue]:
    if order["contact_id"] is None:
        name, phone, sold = order["buyer_name"], order["buyer_phone"], "for cash"
    else:
        name = order["contact__profile_name"] or order["contact__username"]
        phone = f"+{order['contact__wa_id']}" if order["contact__wa_id"] else ""
        sold = "over WhatsApp"
    return {"buyer": name, "phone": phone, "sold": sold}


_STATUS_LABELS: Final = {status.value: enums.format_label(status) for status in OrderStatus}


def _format_local_time(at: datetime | None, *, zone: tzinfo) -> str | None:
    return format_iso_time(at.astimezone(zone) if at else None)


class _RaffleCache(dict[int, Raffle]):
    """Raffles by id, each loaded once."""

    def __init__(self, wanted: ExportSelection) -> None:
        super().__init__({wanted.raffle.pk: wanted.raffle} if wanted.raffle else {})

    def __missing__(self, pk: int) -> Raffle:
        self[pk] = raffle = Raffle.objects.get(pk=pk)
        return raffle
