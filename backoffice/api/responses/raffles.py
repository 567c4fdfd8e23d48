"""Response models of raffles and their ticket numbers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from pydantic import ConfigDict, Field

from backoffice.api.responses.base import PageResponse
from shared.publishing.representations import Moment, Representation
from shared.raffles import models, sale_rules
from shared.raffles.services.availability import TicketCounts
from shared.raffles.services.ticket_numbers.number_ranges import NumberRange

_COPIED_FIELDS: Final = (
    "title",
    "description",
    "prize",
    "status",
    "currency",
    "number_count",
    "width",
    "min_per_order",
    "max_per_order",
    "max_per_contact",
    "hold_minutes",
    "sales_open_at",
    "sales_close_at",
    "draw_at",
    "draw_when_sold_out",
    "time_zone",
    "promoter",
    "permit_number",
    "rules_url",
    "adults_only",
    "created_at",
    "updated_at",
)
"""Fields of a raffle that its response has under the same names."""

STATUS_DESCRIPTION: Final = (
    "DRAFT, OPEN, PAUSED, CLOSED, SEALED, DRAWN or CANCELLED: the seller called it off."
)
"""Description of the status of a raffle."""


class RaffleResponse(Representation):
    """A raffle: what is raffled, how many numbers there are, and on which terms they are sold."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    description: str = Field(description="May be empty.")
    prize: str = Field(examples=["a motorbike"])
    prizes: list[str] = Field(
        examples=[["a motorbike", "a helmet"]], description="The first one is drawn first."
    )
    status: str = Field(examples=["OPEN"], description=STATUS_DESCRIPTION)
    selling: bool
    why_not: str | None = Field(
        examples=["paused"],
        description="Why it sells nothing now: its status in small letters, not_yet or over.",
    )
    price: str = Field(examples=["5.00"], description="Of one number.")
    currency: str = Field(examples=["USD"], description="ISO 4217.")
    number_count: int = Field(examples=[1000])
    width: int = Field(examples=[4], description="Digits that a number is written with.")
    first_number: str = Field(examples=["0001"])
    last_number: str = Field(examples=["1000"])
    min_per_order: int
    max_per_order: int
    max_per_contact: int | None = Field(description="Held and bought together; null: no limit.")
    hold_minutes: int = Field(
        examples=[30], description="How long numbers wait for the buyer, then for the payment."
    )
    sales_open_at: Moment | None
    sales_close_at: Moment | None = Field(description="As the seller chose it, if at all.")
    sales_end_at: Moment | None = Field(
        description="When the sale ends by itself: as chosen, or an hour before the draw; never "
        "after it. null: it does not."
    )
    draw_at: Moment | None
    draw_when_sold_out: bool = Field(description="Drawn when all numbers are sold, at no date.")
    draw_method: str | None = Field(
        examples=["PUBLIC_VALUE"],
        description="PUBLIC_VALUE, LOTTERY_DIGITS or RECORDED_DRUM; null: nobody has chosen yet.",
    )
    time_zone: str = Field(examples=["America/Bogota"])
    promoter: str = Field(examples=["The Club"], description="May be empty.")
    permit_number: str = Field(examples=["RF-2026-118"], description="May be empty.")
    rules_url: str = Field(description="Where all rules are published; may be empty.")
    adults_only: bool = Field(description="Only people who are 18 or older take part.")
    created_at: Moment
    updated_at: Moment


class RaffleTransitionResponse(RaffleResponse):
    """A raffle after it was opened, paused, closed or called off."""

    model_config = ConfigDict(title="RaffleMoved")

    already: bool = Field(description="It was so before; nothing changed.")


class RafflePageResponse(PageResponse[RaffleResponse]):
    """A page of raffles."""


class AvailabilityResponse(Representation):
    """How many numbers of a raffle are free, held and sold."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    status: str = Field(examples=["OPEN"], description=STATUS_DESCRIPTION)
    selling: bool
    why_not: str | None = Field(examples=["paused"], description="Why it sells nothing now.")
    unit_price: str = Field(examples=["5.00"])
    currency: str = Field(examples=["USD"], description="ISO 4217.")
    total: int
    available: int
    reserved: int
    sold: int
    draw_at: Moment | None


class NumberRangeResponse(Representation):
    """Numbers in a row that have the same status."""

    model_config = ConfigDict(title="Numbers", validate_by_name=True, serialize_by_alias=True)

    first: str = Field(alias="from", examples=["0000001"])
    last: str = Field(alias="to", examples=["0000420"])
    count: int = Field(examples=[420])
    status: str = Field(examples=["AVAILABLE"], description="AVAILABLE, RESERVED or SOLD.")


class RaffleNumbersResponse(Representation):
    """The numbers of a raffle as ranges; a range may go on on the next page."""

    model_config = ConfigDict(serialize_by_alias=True)

    id: int
    width: int = Field(examples=[7], description="Digits that a number is written with.")
    first: str = Field(examples=["0000001"], description="The first number of the raffle.")
    last: str = Field(examples=["1000000"], description="The last number of the raffle.")
    count: int = Field(examples=[1_000_000], description="How many numbers the raffle has.")
    ranges: list[NumberRangeResponse]
    next: str | None = Field(description="The following ranges; null: these are the last.")


def build_raffle_response(raffle: models.Raffle, *, now: datetime) -> RaffleResponse:
    """Return the response for a raffle at a time."""
    return RaffleResponse(**_build_raffle_fields(raffle, now=now))


def build_transition_response(
    raffle: models.Raffle, *, already: bool, now: datetime
) -> RaffleTransitionResponse:
    """Return the response for a raffle after a change of its status.

    Args:
        raffle: the raffle.
        already: whether it had the status before the request.
        now: the current time.

    """
    return RaffleTransitionResponse(**_build_raffle_fields(raffle, now=now), already=already)


def build_availability_response(
    raffle: models.Raffle, *, counts: TicketCounts, why_not: str | None
) -> AvailabilityResponse:
    """Return the response for the counts of a raffle's ticket numbers.

    Args:
        raffle: the raffle.
        counts: the counts by ticket status.
        why_not: the reason that it sells nothing now; None: it sells.

    """
    return AvailabilityResponse(
        id=raffle.pk,
        title=raffle.title,
        status=raffle.status,
        selling=why_not is None,
        why_not=why_not,
        unit_price=str(raffle.price),
        currency=raffle.currency,
        total=counts.total,
        available=counts.available,
        reserved=counts.reserved,
        sold=counts.sold,
        draw_at=raffle.draw_at,
    )


def build_raffle_numbers_response(
    raffle: models.Raffle, *, ranges: Iterable[NumberRange], following: str | None
) -> RaffleNumbersResponse:
    """Return the response for a page of ticket number ranges.

    Args:
        raffle: the raffle.
        ranges: the ranges of the page.
        following: the URL of the next page; None: this page is the last one.

    """
    return RaffleNumbersResponse(
        id=raffle.pk,
        width=raffle.width,
        first=raffle.format_ticket_number(raffle.first_number),
        last=raffle.format_ticket_number(raffle.last_number),
        count=raffle.number_count,
        ranges=[_build_number_range(each, raffle=raffle) for each in ranges],
        next=following,
    )


def _build_number_range(number_range: NumberRange, *, raffle: models.Raffle) -> NumberRangeResponse:
    return NumberRangeResponse(
        first=raffle.format_ticket_number(number_range.first),
        last=raffle.format_ticket_number(number_range.last),
        count=number_range.count,
        status=number_range.status,
    )


def _build_raffle_fields(raffle: models.Raffle, *, now: datetime) -> dict[str, Any]:
    why_not = sale_rules.get_not_selling_reason(raffle, now=now)
    return {name: getattr(raffle, name) for name in _COPIED_FIELDS} | {
        "id": raffle.pk,
        "selling": why_not is None,
        "why_not": why_not,
        "price": str(raffle.price),
        "prizes": [prize.title for prize in raffle.prizes.all()] or [raffle.prize],
        "draw_method": raffle.draw_method or None,
        "sales_end_at": sale_rules.compute_sales_end(raffle),
        "first_number": raffle.format_ticket_number(raffle.first_number),
        "last_number": raffle.format_ticket_number(raffle.last_number),
    }
