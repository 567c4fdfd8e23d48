"""Telling winners and buyers how a raffle was drawn; nobody is told before a person confirmed it.

Winners get a message of their own, which waits like any other notice while WhatsApp does not allow
it. All buyers are told by working through the orders (`use_cases.raffle_changes`), and only those
whom a message reaches now. For the others there are lists and texts that a person sends.

Each message is queued in a transaction of its own with the locks of any other change of an order:
contact, order, raffle (shared). A draw locks the raffle exclusively, so nobody is told a result
that is replaced at the same moment.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from shared.conversation.facts import draws, gathering
from shared.conversation.facts.draw_values import DrawFacts
from shared.conversation.notify import notify_buyer
from shared.conversation.texts import draw_updates
from shared.core import logs
from shared.core.constants import SERVICE_WINDOW, SERVICE_WINDOW_MARGIN
from shared.core.enums import (
    MessageDeliveryStatus,
    OrderStatus,
    OutboxStatus,
    RaffleAction,
    RaffleStatus,
)
from shared.raffles.actor import Actor
from shared.raffles.draws.draw_errors import PrizeNotFound, WinnerNotConfirmed
from shared.raffles.draws.draw_models import DrawResult, PrizeClaim
from shared.raffles.models import Order, Raffle, RaffleEvent
from shared.raffles.services import locks, raffle_history
from shared.raffles.services.draws import claim_deadlines, winners
from shared.raffles.services.draws.winners import Winner
from shared.raffles.services.queries import raffle_queries
from shared.use_cases.draws import result_followers
from shared.whatsapp import predicates
from shared.whatsapp.models import OutboundMessage

MAX_LISTED_BUYERS: Final = 200
"""Buyers to tell by hand that are listed at once."""

_log = logs.get_logger(__name__)


class Told(StrEnum):
    """What a winner has heard so far."""

    NOT_CONFIRMED = "NOT_CONFIRMED"
    NOT_TOLD = "NOT_TOLD"
    QUEUED = "QUEUED"
    SENT = "SENT"
    WITHHELD = "WITHHELD"  # outside the 24-hour window: it waits until the winner writes
    FAILED = "FAILED"
    NO_CHAT = "NO_CHAT"  # sold for cash


@dataclass(frozen=True, slots=True)
class WinnersTold:
    """How many winners were told now, and how many have no chat and must be told by hand."""

    told: int
    without_chat: int


@dataclass(frozen=True, slots=True)
class TellableBuyers:
    """How many buyers of a raffle with paid orders a message can reach.

    Attributes:
        inside: buyers whom WhatsApp lets us write to now.
        outside: buyers who wrote longer ago than that, or who wrote STOP.
        cash: orders sold for cash, whose buyers have no chat.

    """

    inside: int
    outside: int
    cash: int


@dataclass(frozen=True, slots=True)
class WinnerContact:
    """A winner, for the list of those to reach.

    Attributes:
        winner: the result with its prize, order and claim.
        ticket: the ticket number with its zeros.
        name: name of the buyer; may be empty.
        phone: digits as WhatsApp knows them, or as typed at a cash sale; may be empty.
        told: what they have heard.
        text: what a person may send them; empty before the winner is confirmed.

    """

    winner: Winner
    ticket: str
    name: str
    phone: str
    told: Told
    text: str


@dataclass(frozen=True, slots=True)
class UnreachedBuyer:
    """A buyer who was not told how the raffle was drawn.

    Attributes:
        order: their latest paid order.
        name: name of the buyer; may be empty.
        phone: digits as WhatsApp knows them, or as typed at a cash sale; may be empty.
        has_chat: whether they bought in the chat.

    """

    order: Order
    name: str
    phone: str
    has_chat: bool


# ── winners ──────────────────────────────────────────────────────────────────────────────────────


def tell_winners(raffle_id: int, *, by: Actor, now: datetime) -> WinnersTold:
    """Queue a message to each confirmed winner who was not told, or whose message was withdrawn.

    Each is told in a transaction of its own, so after an interruption call it again. A winner of a
    cash sale, or whose data was erased, cannot be told here.

    Args:
        raffle_id: primary key of a drawn raffle.
        by: the author.
        now: the present time.

    Raises:
        RaffleNotFound: there is no such raffle.
        WinnerNotConfirmed: no winner is confirmed.

    """
    raffle = raffle_queries.load_raffle(raffle_id)
    confirmed = draws.select_confirmed(raffle, winners.load_winners(raffle))
    if not confirmed:
        raise WinnerNotConfirmed
    waiting = [each for each in confirmed if _awaits_telling(each.claim, each.order)]
    told = sum(_tell_winner(each.result.pk, each.order.pk, now=now) for each in waiting)
    _log.info("winners_told", raffle_id=raffle_id, told=told, by=by.kind)
    return WinnersTold(told, without_chat=len(waiting) - told)


def _awaits_telling(claim: PrizeClaim | None, order: Order) -> bool:
    if claim is None or claim.claimed_at is not None or claim.erased_at is not None:
        return False
    return claim.told_at is None or result_followers.was_withdrawn(order, claim.result)


@transaction.atomic(durable=True)
def _tell_winner(result_id: int, order_id: int, *, now: datetime) -> bool:
    """Queue the message to a winner, unless the prize was drawn again or they were told."""
    order = locks.lock_order_with_contacts(order_id)
    claims = PrizeClaim.objects.select_for_update(no_key=True, of=("self",))
    claim = claims.select_related("result__prize").get(pk=result_id)
    if not (_awaits_telling(claim, order) and draws.is_current(claim.result)):
        return False
    if order.contact is None or order.contact.erased_at is not None:
        return False
    notify_buyer(
        order,
        lambda known: draw_updates.build_winner_message(
            known,
            result_id=result_id,
            prize=claim.result.prize.title,
            number=claim.result.number,
            claim_until=claim_deadlines.compute_claim_deadline(claim.result),
            now=now,
        ),
        now=now,
    )
    claim.told_at = now
    claim.save(update_fields=["told_at"])
    return True


def load_winner_contacts(raffle: Raffle, *, now: datetime) -> list[WinnerContact]:
    """Return the winner of each drawn prize, how to reach them, and what they have heard."""
    latest = winners.load_winners(raffle)
    confirmed = {each.result.pk for each in draws.select_confirmed(raffle, latest)}
    return [
        _build_winner_contact(each, is_confirmed=each.result.pk in confirmed, now=now)
        for each in latest
    ]


def _build_winner_contact(winner: Winner, *, is_confirmed: bool, now: datetime) -> WinnerContact:
    order, result = winner.order, winner.result
    text = ""
    if is_confirmed:
        text = draw_updates.build_winner_text(
            gathering.gather_order_facts(order, now=now),
            prize=result.prize.title,
            number=result.number,
            claim_until=winner.claim_until,
            now=now,
        )
    return WinnerContact(
        winner,
        ticket=order.raffle.format_ticket_number(result.number),
        name=str(order.contact) if order.contact is not None else order.buyer_name,
        phone=_get_phone(order),
        told=_find_told(winner) if is_confirmed else Told.NOT_CONFIRMED,
        text=text,
    )


def _get_phone(order: Order) -> str:
    return (order.contact.wa_id or "") if order.contact is not None else order.buyer_phone


def _find_told(winner: Winner) -> Told:
    """Return what became of the message to a confirmed winner."""
    if winner.order.contact_id is None:
        return Told.NO_CHAT
    if winner.claim is None or winner.claim.told_at is None:
        return Told.NOT_TOLD
    messages = result_followers.list_winner_messages(winner.order, winner.result)
    message = messages[-1] if messages else None
    if message is None or message.status == OutboxStatus.STALE:
        return Told.NOT_TOLD
    failed = message.delivery == MessageDeliveryStatus.FAILED
    if failed or message.status == OutboxStatus.FAILED:
        return Told.FAILED
    if message.status == OutboxStatus.WITHHELD:
        return Told.WITHHELD
    return Told.SENT if message.status == OutboxStatus.SENT else Told.QUEUED


# ── all buyers ───────────────────────────────────────────────────────────────────────────────────


def count_tellable_buyers(raffle: Raffle, *, now: datetime) -> TellableBuyers:
    """Return how many buyers with paid orders a message can reach now, in one query.

    Buyers whose data was erased are not among them.
    """
    earliest = now - (SERVICE_WINDOW - SERVICE_WINDOW_MARGIN)
    inside = Q(contact__last_inbound_at__gt=earliest, contact__stopped_at=None)
    paid = Order.objects.filter(raffle=raffle, status=OrderStatus.PAID, erased_at=None)
    counts = paid.exclude(contact__erased_at__isnull=False).aggregate(
        all=Count("contact", distinct=True),
        inside=Count("contact", distinct=True, filter=inside),
        cash=Count("pk", filter=Q(contact=None)),
    )
    return TellableBuyers(
        counts["inside"], outside=counts["all"] - counts["inside"], cash=counts["cash"]
    )


def tell_all_buyers(raffle_id: int, *, by: Actor, now: datetime) -> RaffleEvent:
    """Tell the winners, and begin to tell all other buyers whom a message reaches.

    The gateway works through the orders afterwards. A second call changes nothing, unless a prize
    was drawn again since.

    Args:
        raffle_id: primary key of a drawn raffle.
        by: the author.
        now: the present time.

    Returns:
        The entry in the raffle's history, which counts the progress.

    Raises:
        RaffleNotFound: there is no such raffle.
        PrizeNotFound: it is not drawn.
        WinnerNotConfirmed: nobody has confirmed the winner of a prize.

    """
    raffle = raffle_queries.load_raffle(raffle_id)
    _refuse_unconfirmed(raffle, now=now)
    tell_winners(raffle_id, by=by, now=now)
    return _record_telling(raffle_id, by=by, now=now)


@transaction.atomic(durable=True)
def _record_telling(raffle_id: int, *, by: Actor, now: datetime) -> RaffleEvent:
    raffle = locks.lock_raffle(raffle_id)
    _refuse_unconfirmed(raffle, now=now)
    if result_followers.find_last_telling(raffle_id) is None:
        raffle_history.record_raffle_event(
            raffle,
            action=RaffleAction.RESULTS_TOLD,
            before=RaffleStatus(raffle.status),
            by=by,
            now=now,
        )
    return RaffleEvent.objects.filter(raffle=raffle, action=RaffleAction.RESULTS_TOLD).latest("pk")


def _refuse_unconfirmed(raffle: Raffle, *, now: datetime) -> None:
    if raffle.status != RaffleStatus.DRAWN:
        raise PrizeNotFound
    if not draws.load_draw(raffle, now=now).has_all_winners:
        raise WinnerNotConfirmed


def load_untold(
    raffle: Raffle, *, after: int = 0, limit: int = MAX_LISTED_BUYERS
) -> list[UnreachedBuyer]:
    """Return buyers, each once, whom no message about the results reached; winners are left out.

    Args:
        raffle: a drawn raffle.
        after: the id of an order; only those after it are returned, in ascending order.
        limit: buyers at most.

    """
    orders = query_untold_orders(raffle).filter(pk__gt=after).select_related("contact")
    return [
        UnreachedBuyer(
            order,
            name=str(order.contact) if order.contact is not None else order.buyer_name,
            phone=_get_phone(order),
            has_chat=order.contact_id is not None,
        )
        for order in orders.order_by("pk")[:limit]
    ]


def query_untold_orders(raffle: Raffle) -> QuerySet[Order]:
    """Return the latest paid order of each buyer whom no message about the results reached."""
    latest = DrawResult.objects.filter(raffle=raffle).order_by("pk").last()
    unread = predicates.FAILED_OUTBOUND | predicates.WITHHELD_OUTBOUND
    told = OutboundMessage.objects.filter(
        contact=OuterRef("contact"), about=OuterRef("code"), key=draw_updates.RESULTS_TOLD_KEY
    ).exclude(unread | Q(status=OutboxStatus.STALE))
    if latest is not None:
        told = told.filter(created_at__gte=latest.at)
    later = result_followers.query_paid_orders(raffle.pk).filter(
        contact=OuterRef("contact"), pk__gt=OuterRef("pk")
    )
    won = [each.order for each in winners.load_winners(raffle)]
    return (
        result_followers.query_paid_orders(raffle.pk)
        .filter(~Exists(told), ~Exists(later), erased_at=None)
        .exclude(pk__in=[order.pk for order in won])
        .exclude(contact__in=_list_contacts(won))
    )


def _list_contacts(orders: Sequence[Order]) -> Collection[int]:
    return [order.contact_id for order in orders if order.contact_id is not None]


def build_text_to_forward(raffle: Raffle, *, now: datetime) -> str:
    """Return who won as a text for groups, and for buyers whom no message reaches.

    Raises:
        WinnerNotConfirmed: no winner is confirmed.

    """
    draw: DrawFacts = draws.load_draw(raffle, now=now)
    if not any(prize.number is not None for prize in draw.prizes):
        raise WinnerNotConfirmed
    return draw_updates.build_text_to_forward(draw, now=now)
