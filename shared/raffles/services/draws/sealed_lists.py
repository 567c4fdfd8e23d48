"""Sealing of a raffle: the list of sold numbers becomes final before the source speaks."""

from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from shared.core.enums import DrawMethod, RaffleAction, RaffleStatus
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import (
    ChainBroken,
    DecisionsOpen,
    NothingSold,
    TooFewSold,
)
from shared.raffles.draws.draw_models import DrawSource, ReceiptChain, SealedList
from shared.raffles.errors import OrdersUnsettled
from shared.raffles.models import Order, Raffle
from shared.raffles.services import raffle_history
from shared.raffles.services.draws import draw_rules, receipt_chain, receipt_check, source_dates
from shared.raffles.services.draws.receipt_check import CheckedChain
from shared.raffles.services.queries import raffle_queries

MAX_NAMED_ORDERS: Final = 20
"""Orders that a refusal names."""

_USUAL_DELAY: Final = timedelta(minutes=1)
"""Time that a sealing may take; the lead that the sources' dates have covers it."""

_ATTEMPTS: Final = 5
"""How often the list is computed anew because something was refunded or undone meanwhile."""


def query_unsettled_orders(raffle_id: int) -> QuerySet[Order]:
    """Return the orders that keep a raffle from being sealed: they hold numbers unpaid."""
    return Order.objects.filter(raffle_id=raffle_id, status__in=Order.LIVE).order_by("id")


def query_undecided_orders(raffle_id: int) -> QuerySet[Order]:
    """Return the ended orders of a raffle whose payment still waits for a decision.

    Adding 0 keeps SQLite from the index by raffle: the orders to decide are few.
    """
    undecided = Order.objects.alias(of=F("raffle_id") + 0).filter(needs_decision=True, of=raffle_id)
    return undecided.order_by("id")


def seal(raffle_id: int, *, two_people: bool, by: Actor, now: datetime) -> SealedList:
    """Make the list of sold numbers final, for the draw; afterwards only refunds are noted.

    The list is computed before the raffle is locked, so that a million numbers keep nobody waiting;
    under the lock the receipt chain shows whether anything was sold or refunded meanwhile.

    Args:
        raffle_id: primary key of the raffle.
        two_people: whether two members of staff may draw, so that each value needs both.
        by: the author of the sealing.
        now: the present time. If entering past orders or waiting for the lock takes long, the list
            counts as sealed when that is over, so that no source speaks before.

    Raises:
        RaffleNotFound: there is no such raffle.
        TransitionNotAllowed: it is not closed.
        RulesMissing: numbers were sold before it had rules, and nobody has chosen them since.
        OrdersUnsettled, DecisionsOpen: some orders are unpaid, under review or undecided.
        NothingSold, TooFewSold: it can only be called off.
        ChainBroken: the receipts do not fit the sold numbers.

    """
    began = monotonic()
    _refuse_unready(raffle_id)
    for attempt in range(_ATTEMPTS):
        receipt_chain.complete_chain(raffle_id, now=now)
        checked = _check_chain(raffle_id)
        with transaction.atomic(durable=True):
            raffle = raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.SEALED)
            _refuse_open_orders(raffle_id)
            if not _is_current(raffle_id, checked):
                if attempt + 1 < _ATTEMPTS:
                    continue
                checked = _check_chain(raffle_id)
            if checked.problem:
                raise ChainBroken(problem=checked.problem)
            _refuse_too_few(raffle, sold=checked.count)
            at = _add_long_delay(now, timedelta(seconds=monotonic() - began))
            sealed = _write_sealed_list(raffle, checked, two_people=two_people, by=by, now=at)
            raffle_history.change_status(
                raffle, to=RaffleStatus.SEALED, action=RaffleAction.SEALED, by=by, now=at
            )
            return sealed
    raise RuntimeError("the last attempt seals or refuses")


def _add_long_delay(now: datetime, delay: timedelta) -> datetime:
    return now if delay <= _USUAL_DELAY else now + delay


def _refuse_unready(raffle_id: int) -> None:
    """Refuse early what is refused under the lock again, so that no list is computed in vain."""
    with transaction.atomic(durable=True):
        raffle_history.lock_raffle_for(raffle_id, wanted=RaffleStatus.SEALED)
        _refuse_open_orders(raffle_id)
        if not draw_rules.has_sold_numbers(raffle_id):
            raise NothingSold
    draw_rules.load_frozen_rules(raffle_id)


def _load_sources(raffle: Raffle) -> list[DrawSource]:
    """Return the public sources of a raffle in their order; a drum has none."""
    if raffle.draw_method == DrawMethod.RECORDED_DRUM:
        return []
    return list(DrawSource.objects.filter(raffle=raffle))


def _refuse_open_orders(raffle_id: int) -> None:
    unsettled = query_unsettled_orders(raffle_id)
    if named := _name_orders(unsettled):
        raise OrdersUnsettled(count=unsettled.count(), orders=named)
    undecided = query_undecided_orders(raffle_id)
    if named := _name_orders(undecided):
        raise DecisionsOpen(count=undecided.count(), orders=named)


def _name_orders(orders: QuerySet[Order]) -> dict[int, str]:
    """Return the codes of some orders by id."""
    return {order.pk: str(order) for order in orders.only("id", "code")[:MAX_NAMED_ORDERS]}


def _refuse_too_few(raffle: Raffle, *, sold: int) -> None:
    minimum = draw_rules.load_frozen_rules(raffle.pk).minimum_sold
    if not sold:
        raise NothingSold
    if sold < minimum:
        raise TooFewSold(sold=sold, minimum=minimum)


def _check_chain(raffle_id: int) -> CheckedChain:
    chain = ReceiptChain.objects.get(raffle_id=raffle_id)
    return receipt_check.check_receipt_chain(raffle_queries.load_raffle(raffle_id), chain)


def _is_current(raffle_id: int, checked: CheckedChain) -> bool:
    """Whether nothing was paid, undone or refunded since, also by a former release."""
    same = ReceiptChain.objects.filter(
        raffle_id=raffle_id, length=checked.length, head=checked.head
    )
    return same.exists() and not receipt_chain.query_orders_without_entry(raffle_id).exists()


def _write_sealed_list(
    raffle: Raffle, checked: CheckedChain, *, two_people: bool, by: Actor, now: datetime
) -> SealedList:
    sources = []
    for source in _load_sources(raffle):
        index = source_dates.find_first_date(source, raffle, sealed_at=now)
        at = source_dates.compute_date(source, raffle, sealed_at=now, index=index)
        sources.append(source_dates.describe_date(source, at, index=index))
    return SealedList.objects.create(
        raffle=raffle,
        numbers=checked.numbers,
        sha256=checked.sha256,
        count=checked.count,
        unsold=raffle.number_count - checked.count,
        chain_head=checked.head,
        chain_length=checked.length,
        two_people=two_people,
        sources=sources,
        sealed_at=now,
        by_kind=by.kind,
        by_id=by.id,
        by_label=by.label,
    )
