"""What the API answers about raffles and their numbers."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from backoffice.api.pagination import PageResponse
from shared.publishing.representations import Moment, Representation
from shared.raffles import models
from shared.raffles.services import availability
from shared.raffles.services.ticket_numbers.number_ranges import NumberRange


class RaffleResponse(Representation):
    """A raffle: what is raffled, how many numbers there are, and on which terms they are sold."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    description: str = Field(description="May be empty.")
    prize: str = Field(examples=["a motorbike"])
    status: str = Field(examples=["OPEN"], description="DRAFT, OPEN, PAUSED, CLOSED or DRAWN.")
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
    sales_close_at: Moment | None
    draw_at: Moment | None
    time_zone: str = Field(examples=["America/Bogota"])
    created_at: Moment
    updated_at: Moment


class RaffleTransitionResponse(RaffleResponse):
    """A raffle after it was opened, paused or closed."""

    model_config = ConfigDict(title="RaffleMoved")

    already: bool = Field(description="It was so before; nothing changed.")


class RafflePageResponse(PageResponse[RaffleResponse]):
    """A page of raffles."""


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


def build_raffle_response(found: models.Raffle, *, now: datetime) -> RaffleResponse:
    """Describe a raffle."""
    return RaffleResponse(**_build_raffle_fields(found, now=now))


def build_transition_response(
    found: models.Raffle, *, already: bool, now: datetime
) -> RaffleTransitionResponse:
    """Describe a raffle after a step of its life."""
    return RaffleTransitionResponse(**_build_raffle_fields(found, now=now), already=already)


def build_raffle_numbers_response(
    found: models.Raffle, *, ranges: Iterable[NumberRange], following: str | None
) -> RaffleNumbersResponse:
    """Describe ranges of a raffle's numbers, and where they go on."""
    written = found.format_ticket_number
    return RaffleNumbersResponse(
        id=found.pk,
        width=found.width,
        first=written(found.first_number),
        last=written(found.last_number),
        count=found.number_count,
        ranges=[_build_number_range(each, written=written) for each in ranges],
        next=following,
    )


def _build_number_range(
    found: NumberRange, *, written: Callable[[int], str]
) -> NumberRangeResponse:
    return NumberRangeResponse(
        first=written(found.first),
        last=written(found.last),
        count=found.count,
        status=found.status,
    )


def _build_raffle_fields(found: models.Raffle, *, now: datetime) -> dict[str, Any]:
    why_not = availability.get_not_selling_reason(found, now=now)
    same = (
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
        "time_zone",
        "created_at",
        "updated_at",
    )
    return {name: getattr(found, name) for name in same} | {
        "id": found.pk,
        "selling": why_not is None,
        "why_not": why_not,
        "price": str(found.price),
        "first_number": found.format_ticket_number(found.first_number),
        "last_number": found.format_ticket_number(found.last_number),
    }
