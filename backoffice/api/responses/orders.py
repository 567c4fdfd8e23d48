"""Response models of orders and of the decisions about them."""

from typing import Any, Final

from pydantic import ConfigDict, Field

from backoffice.api.late_decisions import ACTION_PER_DECISION, LatePaymentDecision
from backoffice.api.responses.base import PageResponse, ProblemResponse
from shared.core.enums import LedgerKind, OrderAction, OrderStatus
from shared.publishing import representations
from shared.publishing.representations import Moment, Representation
from shared.raffles.models import LedgerEntry, Order, OrderEvent
from shared.raffles.services import history
from shared.whatsapp.models import OutboundMessage

_BUYER_NOTIFIED_DESCRIPTION: Final = (
    "The buyer's message: queued, sending, sent, unknown, withheld (until the buyer writes again), "
    "stale or failed; null: there is nobody to tell."
)


class ActorResponse(Representation):
    """Who did something."""

    model_config = ConfigDict(title="By")

    kind: str = Field(examples=["token"], description="chat, staff, token or sweeper.")
    label: str = Field(examples=["n8n"])


class OrderDecisionResponse(Representation):
    """An order after a decision; base of the responses to decisions."""

    id: int
    code: str | None = Field(examples=["R-7K3F9"])
    status: str = Field(examples=["PAID"])
    numbers: list[str] = Field(examples=[["07", "13"]])


class ConfirmationResponse(OrderDecisionResponse):
    """A paid order: who confirmed it and when, and whether the buyer hears of it."""

    already_confirmed: bool = Field(description="It was confirmed before; nothing changed.")
    late: bool = Field(description="It had ended; its numbers were taken back or replaced.")
    confirmed_by: ActorResponse | None
    confirmed_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class CancellationResponse(OrderDecisionResponse):
    """A cancelled order: its numbers are those it held."""

    already_cancelled: bool = Field(description="It was cancelled before; nothing changed.")
    cancelled_by: ActorResponse | None
    cancelled_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class RejectionResponse(OrderDecisionResponse):
    """An order whose payment proofs were rejected; its time to pay runs anew."""

    already_rejected: bool = Field(description="They were rejected before; nothing changed.")
    reason: str = Field(examples=["Not credited: nothing on the account yet"])
    rejected_by: ActorResponse | None
    rejected_at: Moment | None
    expires_at: Moment | None = Field(description="Until when it can be paid now.")
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class ResolutionResponse(OrderDecisionResponse):
    """A late payment that was decided about."""

    decision: str = Field(examples=["replace"], description="take_back, replace or refund.")
    already_resolved: bool = Field(description="It was so decided before; nothing changed.")
    resolved_by: ActorResponse | None
    resolved_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class UndoResponse(OrderDecisionResponse):
    """An order whose confirmation was undone; it is under review again."""

    already_undone: bool = Field(description="It was undone before; nothing changed.")
    undone_by: ActorResponse | None
    undone_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class MoreTimeResponse(OrderDecisionResponse):
    """A hold or an unpaid order with a new deadline."""

    already_given: bool = Field(description="It was given a moment ago; nothing changed.")
    expires_at: Moment | None = Field(description="Until when it can be confirmed or paid now.")
    given_by: ActorResponse | None
    given_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class NoteResponse(OrderDecisionResponse):
    """An order with a new note in its history."""

    already_noted: bool = Field(description="It is the latest note already; nothing changed.")
    note: str = Field(examples=["Called: pays on Friday"])
    noted_by: ActorResponse | None
    noted_at: Moment | None


class OrderRefundResponse(OrderDecisionResponse):
    """An order whose money went back; cancelled, or still paid if its raffle is sealed."""

    already_refunded: bool = Field(description="It was refunded before; nothing changed.")
    refund: representations.Refund | None
    refunded_by: ActorResponse | None
    refunded_at: Moment | None
    buyer_notified: str | None = Field(examples=["queued"], description=_BUYER_NOTIFIED_DESCRIPTION)


class DecisionNeededResponse(ProblemResponse):
    """An order whose payment came too late for its ticket numbers; nothing was sold."""

    taken: list[str] = Field(examples=[["07"]], description="Numbers somebody else has.")
    free: list[str] = Field(examples=[["13"]], description="Numbers that are still free.")
    needs_decision: bool
    order: representations.Order


class HistoryLineResponse(Representation):
    """One line of an order's history."""

    action: str = Field(examples=["PAID"])
    by: ActorResponse
    from_status: str | None = Field(examples=["PENDING_PAYMENT"])
    to_status: str | None = Field(examples=["PAID"])
    reason: str = Field(examples=["SPEI 88213"], description="Why, in words; may be empty.")
    at: Moment


class OrderDetailResponse(representations.Order):
    """An order with its history, the oldest line first."""

    model_config = ConfigDict(title="OrderInFull")

    history: list[HistoryLineResponse]


class OrderPageResponse(PageResponse[representations.Order]):
    """A page of orders."""


def build_confirmation_response(order: Order, *, already: bool) -> ConfirmationResponse:
    """Return the response for a paid order.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether it was paid before the request.

    """
    event = history.find_last_event(order, OrderAction.PAID)
    return ConfirmationResponse(
        **_build_decision_fields(order),
        already_confirmed=already,
        late=event is not None
        and event.from_status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED},
        confirmed_by=_build_optional_actor(event),
        confirmed_at=event and event.at,
        buyer_notified=_find_buyer_message_status(order, "paid", "numbers_replaced"),
    )


def build_cancellation_response(order: Order, *, already: bool) -> CancellationResponse:
    """Return the response for a cancelled order.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether it was cancelled before the request.

    """
    event = history.find_last_event(order, OrderAction.CANCELLED)
    return CancellationResponse(
        **_build_decision_fields(order),
        already_cancelled=already,
        cancelled_by=_build_optional_actor(event),
        cancelled_at=event and event.at,
        buyer_notified=_find_buyer_message_status(order, "cancelled_by_seller"),
    )


def build_rejection_response(order: Order, *, already: bool) -> RejectionResponse:
    """Return the response for an order whose payment proofs were rejected.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether they were rejected before the request.

    """
    event = history.find_last_event(order, OrderAction.PROOF_REJECTED)
    return RejectionResponse(
        **_build_decision_fields(order),
        already_rejected=already,
        reason=event.reason if event else "",
        rejected_by=_build_optional_actor(event),
        rejected_at=event and event.at,
        expires_at=order.expires_at,
        buyer_notified=_find_buyer_message_status(order, "rejected", "rejected_late"),
    )


def build_resolution_response(
    order: Order, *, decision: LatePaymentDecision, already: bool
) -> ResolutionResponse:
    """Return the response for an order whose late payment was decided about.

    Args:
        order: the order, from `representations.query_represented_orders`.
        decision: the decision.
        already: whether the same decision was made before the request.

    """
    event = history.find_last_event(order, ACTION_PER_DECISION[decision])
    return ResolutionResponse(
        **_build_decision_fields(order),
        decision=decision.value,
        already_resolved=already,
        resolved_by=_build_optional_actor(event),
        resolved_at=event and event.at,
        buyer_notified=_find_buyer_message_status(
            order, "paid", "numbers_replaced", "refund_noted"
        ),
    )


def build_undo_response(order: Order, *, confirmation_id: int, already: bool) -> UndoResponse:
    """Return the response for an order whose confirmation was undone.

    Args:
        order: the order, from `representations.query_represented_orders`.
        confirmation_id: the history entry of the confirmation.
        already: whether it was undone before the request.

    """
    entry = order.ledger.filter(kind=LedgerKind.UNDONE, confirmation_id=confirmation_id).first()
    return UndoResponse(
        **_build_decision_fields(order),
        already_undone=already,
        undone_by=_build_optional_actor(entry),
        undone_at=entry and entry.at,
        buyer_notified=_find_buyer_message_status(order, "unconfirmed"),
    )


def build_more_time_response(order: Order, *, already: bool) -> MoreTimeResponse:
    """Return the response for an order that was given more time.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether it was given before the request.

    """
    event = history.find_last_event(order, OrderAction.TIME_GIVEN)
    return MoreTimeResponse(
        **_build_decision_fields(order),
        already_given=already,
        expires_at=order.expires_at,
        given_by=_build_optional_actor(event),
        given_at=event and event.at,
        buyer_notified=_find_buyer_message_status(order, "more_time"),
    )


def build_note_response(order: Order, *, already: bool) -> NoteResponse:
    """Return the response for an order with a new note.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether the note was there before the request.

    """
    event = history.find_last_event(order, OrderAction.NOTE_ADDED)
    return NoteResponse(
        **_build_decision_fields(order),
        already_noted=already,
        note=event.reason if event else "",
        noted_by=_build_optional_actor(event),
        noted_at=event and event.at,
    )


def build_refund_response(order: Order, *, already: bool) -> OrderRefundResponse:
    """Return the response for an order that was refunded.

    Args:
        order: the order, from `representations.query_represented_orders`.
        already: whether it was refunded before the request.

    """
    entry = order.ledger.filter(kind=LedgerKind.REFUNDED).first()
    return OrderRefundResponse(
        **_build_decision_fields(order),
        already_refunded=already,
        refund=entry and representations.represent_refund(entry),
        refunded_by=_build_optional_actor(entry),
        refunded_at=entry and entry.at,
        buyer_notified=_find_buyer_message_status(order, "refunded"),
    )


def build_order_detail_response(order: Order) -> OrderDetailResponse:
    """Return the response for an order with its history.

    Args:
        order: the order, from `representations.query_represented_orders`.

    """
    lines = [
        HistoryLineResponse(
            action=event.action,
            by=_build_actor(event),
            from_status=event.from_status or None,
            to_status=event.to_status or None,
            reason=event.reason,
            at=event.at,
        )
        for event in order.events.all()
    ]
    return OrderDetailResponse(**dict(representations.represent_order(order)), history=lines)


def _find_buyer_message_status(order: Order, *keys: str) -> str | None:
    """Return the status of the latest message to the buyer with one of these keys, if any."""
    messages = OutboundMessage.objects.filter(
        contact=order.contact_id, about=order.code or "", key__in=keys
    )
    status = messages.order_by("-id").values_list("status", flat=True).first()
    return None if status is None else status.lower()


def _build_optional_actor(event: OrderEvent | LedgerEntry | None) -> ActorResponse | None:
    return None if event is None else _build_actor(event)


def _build_actor(event: OrderEvent | LedgerEntry) -> ActorResponse:
    return ActorResponse(kind=event.actor_kind.lower(), label=event.actor_label)


def _build_decision_fields(order: Order) -> dict[str, Any]:
    return {
        "id": order.pk,
        "code": order.code,
        "status": order.status,
        "numbers": representations.represent_ticket_numbers(order),
    }
