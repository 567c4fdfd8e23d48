"""Representations of draws, shared by the API's responses and by events.

Who won is part of them only once a person has confirmed the winner.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from shared.publishing.representations import Buyer, Moment, Representation, represent_buyer
from shared.raffles import models
from shared.raffles.draws import draw_methods
from shared.raffles.draws.draw_models import DrawResult, SealedList


class SourceDate(Representation):
    """A public source, and its date that decides."""

    position: int = Field(description="Its place in the rules; the first one is 1.")
    kind: str = Field(examples=["DRAND"], description="DRAND, LOTTERY or OTHER.")
    name: str = Field(examples=["drand quicknet"])
    url: str = Field(description="Its address, as the rules name it; may be empty.")
    at: Moment | None = Field(description="null: the raffle is drawn when sold out, some day.")
    chain: str | None = Field(description="Of drand: its chain. null: another source.")
    round: int | None = Field(
        examples=[35_000_000], description="Of drand: the round that decides, once sealed."
    )
    value_url: str = Field(
        description="Where the value of that date is published: of drand as JSON, whose field "
        "`randomness` it is; of others `url`."
    )


class SealedDraw(Representation):
    """The sealed list of sold numbers, from which the winners are drawn."""

    method: str = Field(
        examples=["PUBLIC_VALUE"], description="PUBLIC_VALUE, LOTTERY_DIGITS or RECORDED_DRUM."
    )
    list_hash: str = Field(description="SHA-256 of the list, in hex.")
    count: int = Field(examples=[57], description="Numbers on the list: those that were sold.")
    unsold: int = Field(examples=[43])
    chain_head: str = Field(description="Last head of the chain of receipts, in hex.")
    chain_length: int = Field(examples=[21], description="Entries of the chain of receipts.")
    two_people: bool = Field(
        description="Whether each value is entered by one person and confirmed by another."
    )
    sealed_at: Moment
    sources: list[SourceDate] = Field(description="As fixed by the sealing; none of a drum.")


class DrawnPrize(Representation):
    """A number that was drawn for a prize."""

    prize: int = Field(examples=[1], description="Place of the prize; the first one is 1.")
    title: str = Field(examples=["a motorbike"], description="Of the prize.")
    attempt: int = Field(examples=[1], description="2 and more: the prize was drawn again.")
    number: str = Field(examples=["007"])
    reason: str | None = Field(
        examples=[None],
        description="Why it was drawn again: UNCLAIMED, DECLINED, INELIGIBLE, UNREACHABLE or "
        "SOURCE_VOID; null: it is the first attempt.",
    )
    comment: str = Field(description="More about the reason, public; may be empty.")
    at: Moment


class WinningOrder(Representation):
    """The order of a number that was drawn."""

    id: int
    code: str | None = Field(examples=["R-7K3F9"], description="What people call it.")


class Winner(Representation):
    """A winner whom a person has confirmed."""

    order: WinningOrder
    buyer: Buyer | None = Field(description="null: a cash sale without name and phone.")


def represent_sealed_draw(sealed: SealedList, *, method: str) -> SealedDraw:
    """Return the representation of a sealed list.

    Args:
        sealed: the list.
        method: how its raffle is drawn.

    """
    return SealedDraw(
        method=method,
        list_hash=sealed.sha256,
        count=sealed.count,
        unsold=sealed.unsold,
        chain_head=sealed.chain_head,
        chain_length=sealed.chain_length,
        two_people=sealed.two_people,
        sealed_at=sealed.sealed_at,
        sources=[_represent_source_date(source) for source in sealed.sources],
    )


def represent_drawn_prize(result: DrawResult, *, raffle: models.Raffle) -> DrawnPrize:
    """Return the representation of a result that was loaded with its prize."""
    return DrawnPrize(
        prize=result.prize.position,
        title=result.prize.title,
        attempt=result.attempt,
        number=raffle.format_ticket_number(result.number),
        reason=result.reason or None,
        comment=result.comment,
        at=result.at,
    )


def represent_winner(order: models.Order) -> Winner:
    """Return the buyer of an order as the winner, once a person has confirmed that."""
    return Winner(
        order=WinningOrder(id=order.pk, code=order.code),
        buyer=represent_buyer(order),
    )


def build_value_url(url: str, *, round_number: int | None) -> str:
    """Return the address where the value of a source's date is published.

    Args:
        url: of the source; may be empty.
        round_number: of drand: the round.

    """
    if round_number is None:
        return url
    return draw_methods.build_drand_url(round_number)


def _represent_source_date(source: Mapping[str, Any]) -> SourceDate:
    return SourceDate(
        position=source["position"],
        kind=source["kind"],
        name=source["name"],
        url=source["url"],
        at=source["at"],
        chain=source.get("chain"),
        round=source.get("round"),
        value_url=build_value_url(source["url"], round_number=source.get("round")),
    )
