"""Orders chosen for a bulk action, as shown on the page that asks to confirm it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from django.db.models import Prefetch, QuerySet

from backoffice.orders import confirmations, summary
from backoffice.orders.prefetched import format_first_ticket_numbers, format_order_buyer
from backoffice.orders.proofs import proof_cards
from backoffice.orders.proofs.proof_cards import ProofDisplay
from backoffice.ui import display
from shared.conversation import formatting
from shared.core.enums import OrderStatus
from shared.core.errors import DomainError
from shared.raffles import deadlines, sale_rules
from shared.raffles.models import Order, PaymentProof
from shared.raffles.services.payment_proofs import proof_verdicts

MAX_ORDERS_PER_ACTION: Final = 200
"""Orders of one bulk action: more than anybody checks with care."""

PROOFS_SHOWN_PER_ORDER: Final = 6
"""Proofs shown per order; an order with more of them is confirmed on its own page."""

MAX_ORDERS_NAMED: Final = 3
"""Orders with the same picture that are named; the others are counted."""


class BulkAction(StrEnum):
    """A bulk action on orders."""

    CONFIRM = "confirm"
    REJECT = "reject"
    MORE_TIME = "more-time"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class SelectedOrderProof:
    """A payment proof of a chosen order; `thumbnail` is empty if it cannot be shown."""

    key: int
    address: str
    thumbnail: str
    words: str
    caption: str


@dataclass(frozen=True, slots=True)
class SelectedOrder:
    """One chosen order.

    Attributes:
        order: The order.
        buyer, numbers, total, status: Its facts as text.
        style: The Bootstrap colour of the status.
        proofs: At most `PROOFS_SHOWN_PER_ORDER` proofs.
        seen: Ids of all its proofs.
        fits: Whether the action is possible for this order.
        chosen: Whether it is ticked from the start, as there is no warning.
        hint: The reason why the action is not possible, or a warning; may be empty.
        grave: Whether the hint is a warning.

    """

    order: Order
    buyer: str
    numbers: str
    total: str
    status: str
    style: str
    proofs: tuple[SelectedOrderProof, ...]
    seen: tuple[int, ...]
    fits: bool
    chosen: bool
    hint: str
    grave: bool


@dataclass(frozen=True, slots=True)
class OrderSelection:
    """The chosen orders, and the count of those beyond `MAX_ORDERS_PER_ACTION`."""

    lines: tuple[SelectedOrder, ...]
    left_out: int
    sum: str

    @property
    def fitting(self) -> int:
        """The count of orders for which the action is possible."""
        return sum(line.fits for line in self.lines)

    @property
    def chosen(self) -> int:
        """The count of orders that are ticked from the start."""
        return sum(line.chosen for line in self.lines)


def load_order_selection(
    orders: QuerySet[Order], *, action: BulkAction, now: datetime
) -> OrderSelection:
    """Return the chosen orders with their proofs, in a fixed count of queries.

    Args:
        orders: The orders, with raffle and contact selected and tickets prefetched.
        action: The action to confirm.
        now: The current time.

    """
    proofs = Prefetch("proofs", PaymentProof.objects.select_related("fingerprint").order_by("id"))
    found = list(orders.prefetch_related(proofs, "ledger")[: MAX_ORDERS_PER_ACTION + 1])
    left_out = orders.count() - MAX_ORDERS_PER_ACTION if len(found) > MAX_ORDERS_PER_ACTION else 0
    found = found[:MAX_ORDERS_PER_ACTION]
    others = _find_similar_orders([proof for order in found for proof in order.proofs.all()])
    lines = sorted(
        (_build_selected_order(order, action=action, others=others, now=now) for order in found),
        key=lambda line: not line.fits,
    )
    return OrderSelection(
        tuple(lines),
        left_out=left_out,
        sum=_format_totals([one.order for one in lines if one.chosen]),
    )


@dataclass(frozen=True, slots=True)
class _SimilarOrders:
    """Other orders with a proof of identical bytes, and with a similar picture."""

    same: tuple[Order, ...]
    alike: tuple[Order, ...]


type _SimilarOrdersByProof = dict[int, _SimilarOrders]


def _find_similar_orders(proofs: Sequence[PaymentProof]) -> _SimilarOrdersByProof:
    same, alike = proof_cards.load_identical_proofs(proofs), proof_cards.load_similar_proofs(proofs)
    return {
        proof.pk: _SimilarOrders(
            tuple(other.order for other in same[proof.pk] if other.order is not None),
            tuple(other.order for other in alike[proof.pk] if other.order is not None),
        )
        for proof in proofs
    }


def _describe_repeated_proofs(
    proofs: Sequence[PaymentProof], *, others: _SimilarOrdersByProof
) -> str:
    """Return a warning about other orders with the same proofs; empty if there are none."""
    same = dict.fromkeys(order for proof in proofs for order in others[proof.pk].same)
    if same:
        return f"The very same file also came with {_join_order_codes(list(same))}."
    alike = dict.fromkeys(order for proof in proofs for order in others[proof.pk].alike)
    return (
        f"Nearly the same picture also came with {_join_order_codes(list(alike))}." if alike else ""
    )


def _build_selected_order(
    order: Order, *, action: BulkAction, others: _SimilarOrdersByProof, now: datetime
) -> SelectedOrder:
    proofs = list(order.proofs.all())
    fits, hint = _check_action(order, action=action, now=now)
    grave = fits and bool(hint)
    if (
        fits
        and action is BulkAction.CONFIRM
        and (repeated := _describe_repeated_proofs(proofs, others=others))
    ):
        hint, grave = repeated, True
    if fits and action is BulkAction.CONFIRM and len(proofs) > PROOFS_SHOWN_PER_ORDER:
        fits, grave = False, False
        hint = f"It has {len(proofs)} proofs: look at them on its own page."
    if fits and action is BulkAction.CONFIRM and any(map(_must_be_opened, proofs)):
        fits, grave = False, False
        hint = "A proof of it cannot be shown here: open the file on its own page."
    status, style = summary.describe_order_status(order)
    return SelectedOrder(
        order=order,
        buyer=format_order_buyer(order),
        numbers=format_first_ticket_numbers(order),
        total=display.format_order_total(order),
        status=status,
        style=style,
        proofs=tuple(_build_proof(proof) for proof in proofs[:PROOFS_SHOWN_PER_ORDER]),
        seen=tuple(proof.pk for proof in proofs),
        fits=fits,
        chosen=fits and not grave,
        hint=hint,
        grave=grave,
    )


def _check_action(order: Order, *, action: BulkAction, now: datetime) -> tuple[bool, str]:
    """Return whether an action is possible for an order, and the reason or a warning."""
    match action:
        case BulkAction.CONFIRM:
            return _check_confirmation(order, now=now)
        case BulkAction.REJECT:
            return _check_rejection(order)
        case BulkAction.MORE_TIME:
            return _check_more_time(order, now=now)
        case BulkAction.CANCEL:
            return _check_cancellation(order)


def _check_confirmation(order: Order, *, now: datetime) -> tuple[bool, str]:
    if order.status == OrderStatus.PAID:
        return False, "It is paid already."
    if order.status == OrderStatus.DRAFT:
        return False, "Its buyer has not confirmed it yet, so there is nothing to pay."
    if refusal := confirmations.describe_confirmation_refusal(order, now=now):
        return False, refusal
    if order.status != OrderStatus.PENDING_PAYMENT:
        return True, "It has ended: it is sold only if all its numbers are still free."
    if not order.under_review:
        return True, "No proof has come: confirm it only if you have seen the money."
    if not proof_verdicts.can_be_judged(order.proofs.all()):
        return False, "No proof of it can be looked at: confirm it on its own page."
    if order.asked_again_at is not None:
        return True, "Its buyer was asked for a better proof, which has not come yet."
    return True, ""


def _check_rejection(order: Order) -> tuple[bool, str]:
    if order.needs_decision:
        return True, ""
    if not order.under_review:
        return False, "No proof waits for a decision."
    final = sale_rules.find_sealing_refusal(order.raffle)
    return (True, "") if final is None else (False, final.message())


def _check_more_time(order: Order, *, now: datetime) -> tuple[bool, str]:
    if order.status == OrderStatus.PAID:
        return False, "It is paid already."
    if order.status not in Order.LIVE:
        return False, "It has ended already."
    try:
        deadlines.compute_later_deadline(order, now=now)
    except DomainError as refusal:
        return False, refusal.message()
    return True, ""


def _check_cancellation(order: Order) -> tuple[bool, str]:
    if order.status == OrderStatus.PAID:
        return False, "It is paid: refund it on its own page."
    if order.status not in Order.LIVE:
        return False, "It has ended already."
    if final := sale_rules.find_sealing_refusal(order.raffle):
        return False, final.message()
    if order.under_review:
        return True, "A proof waits for review: its buyer may have paid."
    return True, ""


def _must_be_opened(proof: PaymentProof) -> bool:
    shown = proof_cards.choose_proof_display(proof)
    return proof_cards.is_proof_pending(proof) and shown is ProofDisplay.FILE


def _build_proof(proof: PaymentProof) -> SelectedOrderProof:
    return SelectedOrderProof(
        key=proof.pk,
        address=proof_cards.build_picture_url(proof) or proof_cards.build_proof_file_url(proof),
        thumbnail=proof_cards.build_thumbnail_url(proof),
        words=proof_cards.PROOF_DISPLAY_LABELS[proof_cards.choose_proof_display(proof)],
        caption=proof.caption,
    )


def _join_order_codes(orders: Sequence[Order]) -> str:
    """Return order codes for a sentence, e.g. "R-7K3F9 and R-8M2QA"; long lists are cut."""
    names = [str(order) for order in orders[:MAX_ORDERS_NAMED]]
    if len(orders) > MAX_ORDERS_NAMED:
        names.append(f"{len(orders) - MAX_ORDERS_NAMED} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _format_totals(orders: Sequence[Order]) -> str:
    """Return the sum of the totals per currency, e.g. "€5.00 + $15.00"."""
    sums: dict[str, Decimal] = {}
    for order in orders:
        sums[order.currency] = sums.get(order.currency, Decimal()) + order.total
    return " + ".join(
        formatting.format_money(total, currency) for currency, total in sorted(sums.items())
    )
