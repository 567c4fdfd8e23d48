"""What the API answers, each a model: the one source of the bodies and of the schema."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from rest_framework.response import Response

from backoffice.api import already_done
from backoffice.api.pagination import PageResponse
from shared.core.enums import OrderAction
from shared.publishing import representations
from shared.publishing.representations import Moment, Representation
from shared.raffles.models import Order, OrderEvent, Raffle
from shared.raffles.services.availability import TicketCounts
from shared.whatsapp.models import OutboundMessage

_BUYER_NOTIFIED_DESCRIPTION: Final = (
    "The buyer's message: queued, sending, sent, unknown, withheld (until the buyer writes again), "
    "stale or failed; null: there is nobody to tell."
)


class ProblemResponse(BaseModel):
    """Every refusal and every fault; some carry more fields, which `detail` has as well."""

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str = Field(examples=["order_not_found"], description="Stable, for programs.")
    message: str = Field(examples=["There is no such order."], description="For people.")
    detail: Any = Field(description="Values that belong to it, or null.")
    retryable: bool = Field(description="Whether the same request may succeed later.")


class ActorResponse(Representation):
    """Who did something."""

    model_config = ConfigDict(title="By")

    kind: str = Field(examples=["token"], description="chat, staff, token or sweeper.")
    label: str = Field(examples=["n8n"])


class OrderDecisionResponse(Representation):
    """How an order stands after a decision."""

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
    """An order whose payment proofs were turned down; its time to pay runs anew."""

    already_rejected: bool = Field(description="They were turned down before; nothing changed.")
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


class DecisionNeededResponse(ProblemResponse):
    """A payment came too late to have its numbers: the order is flagged and nothing is sold."""

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


class AvailabilityResponse(Representation):
    """How many numbers of a raffle are free, held and sold."""

    id: int
    title: str = Field(examples=["Summer Raffle"])
    status: str = Field(examples=["OPEN"], description="DRAFT, OPEN, PAUSED, CLOSED or DRAWN.")
    selling: bool
    why_not: str | None = Field(examples=["paused"], description="Why it sells nothing now.")
    unit_price: str = Field(examples=["5.00"])
    currency: str = Field(examples=["USD"], description="ISO 4217.")
    total: int
    available: int
    reserved: int
    sold: int
    draw_at: Moment | None


def render_response(model: BaseModel, *, status: int = 200) -> Response:
    """Answer with a model."""
    return Response(model.model_dump(mode="json"), status=status)


def build_confirmation_response(found: Order, *, already: bool) -> ConfirmationResponse:
    """Describe a paid order, read by `described.orders()`."""
    event = find_last_event(found, OrderAction.PAID)
    return ConfirmationResponse(
        **_build_decision_fields(found),
        already_confirmed=already,
        late=event is not None and event.from_status in {"CANCELLED", "EXPIRED"},
        confirmed_by=describe_actor(event),
        confirmed_at=event and event.at,
        buyer_notified=find_buyer_message_status(found, "paid", "numbers_replaced"),
    )


def build_cancellation_response(found: Order, *, already: bool) -> CancellationResponse:
    """Describe a cancelled order, read by `described.orders()`."""
    event = find_last_event(found, OrderAction.CANCELLED)
    return CancellationResponse(
        **_build_decision_fields(found),
        already_cancelled=already,
        cancelled_by=describe_actor(event),
        cancelled_at=event and event.at,
        buyer_notified=find_buyer_message_status(found, "cancelled_by_seller"),
    )


def build_rejection_response(found: Order, *, already: bool) -> RejectionResponse:
    """Describe an order whose proofs were turned down, read by `described.orders()`."""
    event = find_last_event(found, OrderAction.PROOF_REJECTED)
    return RejectionResponse(
        **_build_decision_fields(found),
        already_rejected=already,
        reason=event.reason if event else "",
        rejected_by=describe_actor(event),
        rejected_at=event and event.at,
        expires_at=found.expires_at,
        buyer_notified=find_buyer_message_status(found, "rejected", "rejected_late"),
    )


def build_resolution_response(found: Order, *, decision: str, already: bool) -> ResolutionResponse:
    """Describe an order whose late payment is decided about, read by `described.orders()`."""
    event = find_last_event(found, already_done.ACTION_PER_DECISION[decision])
    return ResolutionResponse(
        **_build_decision_fields(found),
        decision=decision,
        already_resolved=already,
        resolved_by=describe_actor(event),
        resolved_at=event and event.at,
        buyer_notified=find_buyer_message_status(found, "paid", "numbers_replaced", "refund_noted"),
    )


def build_order_detail_response(found: Order) -> OrderDetailResponse:
    """Describe an order with its history, read by `described.orders()`."""
    lines = [
        HistoryLineResponse(
            action=event.action,
            by=_build_actor(event),
            from_status=event.from_status or None,
            to_status=event.to_status or None,
            reason=event.reason,
            at=event.at,
        )
        for event in found.events.all()
    ]
    return OrderDetailResponse(**dict(representations.represent_order(found)), history=lines)


def build_availability_response(
    raffle: Raffle, *, counts: TicketCounts, why_not: str | None
) -> AvailabilityResponse:
    """Describe how many numbers of a raffle are left."""
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


def find_last_event(found: Order, *actions: OrderAction) -> OrderEvent | None:
    """Give the latest line of an order's history about one of these."""
    return found.events.filter(action__in=actions).order_by("-id").first()


def describe_actor(event: OrderEvent | None) -> ActorResponse | None:
    """Say who stands behind a line of an order's history."""
    return None if event is None else _build_actor(event)


def find_buyer_message_status(found: Order, *keys: str) -> str | None:
    """Say what became of the latest of these notices to the buyer; None if there is none."""
    notices = OutboundMessage.objects.filter(
        contact=found.contact_id, about=found.code or "", key__in=keys
    )
    status = notices.order_by("-id").values_list("status", flat=True).first()
    return None if status is None else status.lower()


def _build_actor(event: OrderEvent) -> ActorResponse:
    return ActorResponse(kind=event.actor_kind.lower(), label=event.actor_label)


def _build_decision_fields(found: Order) -> dict[str, Any]:
    return {
        "id": found.pk,
        "code": found.code,
        "status": found.status,
        "numbers": representations.represent_ticket_numbers(found),
    }
