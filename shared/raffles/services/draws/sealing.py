"""Sealing of a raffle: the list of sold numbers becomes final before the source speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from shared.core.enums import (
    DrawMethod,
    RaffleAction,
    RaffleStatus,
    TicketStatus,
)
from shared.raffles import receipt_lines
from shared.raffles.actor import Actor
from shared.raffles.draw_errors import (
    ChainBroken,
    DecisionsOpen,
    NothingSold,
    TooFewSold,
)
from shared.raffles.draw_models import DrawSource, ReceiptChain, SealedList
from shared.raffles.errors import OrdersUnsettled
from shared.raffles.models import Order, Raffle, TicketNumber
from shared.raffles.services import raffle_history, raffle_queries
from shared.raffles.services.draws import draw_rules, receipt_chain, source_dates

MAX_NAMED_ORDERS: Final = 20
"""Orders that a refusal names."""


@dataclass(frozen=True, slots=True)
class _PreparedList:
    """A list that was computed before the raffle is locked.

    Attributes:
        numbers: the canonical list.
        count: its ticket numbers.
        chain_length: entries of the receipt chain when it was computed.
        chain_head: head of the receipt chain then.
        fits: whether the entries that count are exactly the sold numbers.

    """

    numbers: bytes
    count: int
    chain_length: int
    chain_head: str
    fits: bool


def query_unsettled_orders(raffle_id: int) -> QuerySet[Order]:
    """Return the orders that keep a raffle from being sealed: they hold numbers unpaid."""
    return Order.objects.filter(raffle_id=raffle_id, status__in=Order.LIVE).order_by("id")


def query_undecided_orders(raffle_id: int) -> QuerySet[Order]:
    """Return the ended orders of a raffle whose payment still waits for a decision."""
    return Order.objects.filter(raffle_id=raffle_id, needs_decision=True).order_by("id")


def seal(raffle_id: int, *, two_people: bool, by: Actor, now: datetime) -> SealedList:
    """Make the list of sold numbers final, for the draw; afterwards only refunds are noted.

    The list is computed before the raffle is locked, so that a million numbers keep nobody waiting;
    under the lock the receipt chain shows whether anything was sold or refunded meanwhile.

    Args:
        raffle_id: primary key of the raffle.
        two_people: whether two members of staff may draw, so that each value needs both.
        by: the author of the sealing.
        now: the present time.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is not closed.
        RulesMissing: numbers were sold before it had rules, and nobody has chosen them since.
        OrdersUnsettled, DecisionsOpen: some orders are unpaid, under review or undecided.
        NothingSold, TooFewSold: it can only be called off.
        ChainBroken: the receipts do not fit the sold numbers.

    """
    raffle = raffle_queries.load_raffle(raffle_id)
    _refuse_unready(raffle)
    receipt_chain.complete_chain(raffle_id, now=now)
    prepared = _prepare_list(raffle)
    with transaction.atomic(durable=True):
        raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.SEALED)
        _refuse_open_orders(raffle_id)
        chain = ReceiptChain.objects.get(raffle_id=raffle_id)
        if (chain.length, chain.head) != (prepared.chain_length, prepared.chain_head):
            prepared = _prepare_list(raffle)
        if not prepared.fits:
            raise ChainBroken
        _refuse_too_few(raffle, sold=prepared.count)
        sealed = _write_sealed_list(raffle, prepared, two_people=two_people, by=by, now=now)
        raffle_history.change_status(
            raffle, to=RaffleStatus.SEALED, action=RaffleAction.SEALED, by=by, now=now
        )
    return sealed


def _refuse_unready(raffle: Raffle) -> None:
    """Refuse early what is refused under the lock again, so that no list is computed in vain."""
    with transaction.atomic():
        raffle_history.lock_raffle_for(raffle.pk, wanted=RaffleStatus.SEALED)
        _refuse_open_orders(raffle.pk)
        if not draw_rules.has_sold_numbers(raffle.pk):
            raise NothingSold
    draw_rules.load_frozen_rules(raffle.pk)


def _refuse_open_orders(raffle_id: int) -> None:
    unsettled = query_unsettled_orders(raffle_id)
    count = unsettled.count()
    if count:
        raise OrdersUnsettled(count=count, orders=_list_codes(unsettled))
    undecided = query_undecided_orders(raffle_id)
    if codes := _list_codes(undecided):
        raise DecisionsOpen(orders=codes)


def _list_codes(orders: QuerySet[Order]) -> Sequence[str]:
    return [str(order) for order in orders.only("id", "code")[:MAX_NAMED_ORDERS]]


def _refuse_too_few(raffle: Raffle, *, sold: int) -> None:
    minimum = draw_rules.load_frozen_rules(raffle.pk).minimum_sold
    if not sold:
        raise NothingSold
    if sold < minimum:
        raise TooFewSold(sold=sold, minimum=minimum)


def _prepare_list(raffle: Raffle) -> _PreparedList:
    chain = ReceiptChain.objects.get(raffle_id=raffle.pk)
    sold = list(
        TicketNumber.objects.filter(raffle_id=raffle.pk, status=TicketStatus.SOLD)
        .order_by("number")
        .values_list("number", flat=True)
    )
    width = raffle.width
    tickets = [f"{number:0{width}d}" for number in sold]
    return _PreparedList(
        numbers=receipt_lines.build_list(tickets),
        count=len(tickets),
        chain_length=chain.length,
        chain_head=chain.head,
        fits=_fits_chain(raffle.pk, chain, tickets),
    )


def _fits_chain(raffle_id: int, chain: ReceiptChain, tickets: Sequence[str]) -> bool:
    """Whether the chain leads to its head, and its entries that count are these ticket numbers."""
    rules = draw_rules.load_frozen_rules(raffle_id)
    head = receipt_lines.compute_first_head(
        receipt_lines.build_raffle_reference(raffle_id), rules.sha256
    )
    sales: dict[str, str] = {}
    length = 0
    for line in receipt_chain.build_lines(raffle_id):
        head = receipt_lines.compute_head(head, line)
        length += 1
        kind, number, rest = line.split()
        if kind == "entry":
            sales[number] = rest
        else:
            sales.pop(rest, None)
    if (length, head) != (chain.length, chain.head):
        return False
    return sorted(",".join(sales.values()).split(",")) == list(tickets)


def _write_sealed_list(
    raffle: Raffle, prepared: _PreparedList, *, two_people: bool, by: Actor, now: datetime
) -> SealedList:
    sources = []
    if raffle.draw_method != DrawMethod.RECORDED_DRUM:
        for source in DrawSource.objects.filter(raffle=raffle):
            index = source_dates.find_first_date(source, raffle, sealed_at=now)
            at = source_dates.compute_date(source, raffle, sealed_at=now, index=index)
            sources.append(source_dates.describe_date(source, at, index=index))
    return SealedList.objects.create(
        raffle=raffle,
        numbers=prepared.numbers,
        sha256=receipt_lines.hash_list(prepared.numbers),
        count=prepared.count,
        unsold=raffle.number_count - prepared.count,
        chain_head=prepared.chain_head,
        chain_length=prepared.chain_length,
        two_people=two_people,
        sources=sources,
        sealed_at=now,
        by_kind=by.kind,
        by_id=by.id,
        by_label=by.label,
    )
