"""Examples of request bodies and responses for the OpenAPI document.

They are instances of the models that views respond with, so they cannot become outdated.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample
from pydantic import BaseModel

from backoffice.api.responses import base, orders, raffles
from backoffice.api.serializers import draws, endpoints, order_decisions, proof_moves
from shared.core.enums import OrderStatus
from shared.publishing import representations
from shared.raffles.draws.draw_methods import DRAND_CHAIN
from shared.raffles.errors import DrawTimeReached, RaffleCalledOff, RaffleDrawn, RaffleSealed

_NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
DRAW: Final = _NOON + timedelta(days=20)
TOO_LATE_REFUSALS: Final = (
    RaffleSealed(raffle_id=1),
    RaffleDrawn(raffle_id=1),
    RaffleCalledOff(raffle_id=1),
    DrawTimeReached(draw_at=DRAW),
)
"""The errors that `sale_rules.refuse_unless_settling` raises."""
_RAFFLE: Final = representations.RaffleName(id=1, title="Summer Raffle")
_BUYER: Final = representations.Buyer(name="Ana", phone="+15550100001", user_id=None)
_N8N: Final = orders.ActorResponse(kind="token", label="n8n")
_PROOF: Final = representations.Proof(
    id=12,
    status="KEPT",
    verdict="PENDING",
    content_type="image/jpeg",
    arrived_at=_NOON + 4 * _MINUTE,
    late=False,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
EXAMPLE_ORDER: Final = representations.Order(
    id=41,
    code="R-7K3F9",
    status=OrderStatus.PENDING_PAYMENT,
    raffle=_RAFFLE,
    buyer=_BUYER,
    numbers=["007", "013"],
    quantity=2,
    unit_price="5.00",
    total="10.00",
    currency="USD",
    created_at=_NOON,
    placed_at=_NOON + _MINUTE,
    expires_at=None,
    under_review_since=_NOON + 4 * _MINUTE,
    closed_at=None,
    needs_decision=False,
    confirmation_id=None,
    refund=None,
    source=representations.Source(kind="LINK", name="poster", id=""),
    proofs=[_PROOF],
)
_DECISION_FIELDS: Final[Mapping[str, Any]] = {
    "id": 41,
    "code": "R-7K3F9",
    "numbers": ["007", "013"],
}
_HISTORY: Final = (
    orders.HistoryLineResponse(
        action="PLACED",
        by=orders.ActorResponse(kind="chat", label="Ana"),
        from_status="DRAFT",
        to_status="PENDING_PAYMENT",
        reason="",
        at=_NOON + _MINUTE,
    ),
    orders.HistoryLineResponse(
        action="PROOF_RECEIVED",
        by=orders.ActorResponse(kind="chat", label="Ana"),
        from_status=None,
        to_status=None,
        reason="",
        at=_NOON + 4 * _MINUTE,
    ),
)
_CONFIRMATION: Final = orders.ConfirmationResponse(
    **_DECISION_FIELDS,
    status="PAID",
    already_confirmed=False,
    late=False,
    confirmed_by=_N8N,
    confirmed_at=_NOON + 9 * _MINUTE,
    buyer_notified="queued",
)
_UNDO: Final = orders.UndoResponse(
    **_DECISION_FIELDS,
    status="PENDING_PAYMENT",
    already_undone=False,
    undone_by=_N8N,
    undone_at=_NOON + 15 * _MINUTE,
    buyer_notified="queued",
)
_REFUND: Final = orders.OrderRefundResponse(
    **_DECISION_FIELDS,
    status="CANCELLED",
    already_refunded=False,
    refund=representations.Refund(
        amount="10.00", currency="USD", reference="SPEI 90412", at=_NOON + 15 * _MINUTE
    ),
    refunded_by=_N8N,
    refunded_at=_NOON + 15 * _MINUTE,
    buyer_notified="queued",
)
NUMBERS_TAKEN_PROBLEM: Final = orders.DecisionNeededResponse(
    code="numbers_taken",
    message="The order had ended and some of its numbers belong to somebody else by now. "
    "Nothing was sold; a person must decide.",
    detail={"taken": ["007"], "free": ["013"], "needs_decision": True},
    retryable=False,
    taken=["007"],
    free=["013"],
    needs_decision=True,
    order=EXAMPLE_ORDER.model_copy(update={"status": OrderStatus.EXPIRED, "needs_decision": True}),
)

RESPONSE_EXAMPLES: Final[Mapping[type[BaseModel], Mapping[str, BaseModel]]] = {
    orders.OrderPageResponse: {
        "a page": orders.OrderPageResponse(
            count=51,
            next="https://raffles.example/api/orders?status=PENDING_PAYMENT&after=41",
            previous=None,
            results=[EXAMPLE_ORDER],
        )
    },
    orders.OrderDetailResponse: {
        "under review": orders.OrderDetailResponse(**dict(EXAMPLE_ORDER), history=list(_HISTORY))
    },
    orders.ConfirmationResponse: {
        "confirmed": _CONFIRMATION,
        "a repeat": _CONFIRMATION.model_copy(update={"already_confirmed": True}),
        "paid late": _CONFIRMATION.model_copy(update={"late": True}),
    },
    orders.CancellationResponse: {
        "cancelled": orders.CancellationResponse(
            **_DECISION_FIELDS,
            status="CANCELLED",
            already_cancelled=False,
            cancelled_by=_N8N,
            cancelled_at=_NOON + 9 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.RejectionResponse: {
        "rejected": orders.RejectionResponse(
            **_DECISION_FIELDS,
            status="PENDING_PAYMENT",
            already_rejected=False,
            reason="Not credited: nothing on the account yet",
            rejected_by=_N8N,
            rejected_at=_NOON + 9 * _MINUTE,
            expires_at=_NOON + 39 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.ResolutionResponse: {
        "replaced": orders.ResolutionResponse(
            **{**_DECISION_FIELDS, "numbers": ["013", "845"]},
            status="PAID",
            decision="replace",
            already_resolved=False,
            resolved_by=_N8N,
            resolved_at=_NOON + 9 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.MoreTimeResponse: {
        "given": orders.MoreTimeResponse(
            **_DECISION_FIELDS,
            status="PENDING_PAYMENT",
            already_given=False,
            expires_at=_NOON + 39 * _MINUTE,
            given_by=_N8N,
            given_at=_NOON + 9 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.NoteResponse: {
        "noted": orders.NoteResponse(
            **_DECISION_FIELDS,
            status="PENDING_PAYMENT",
            already_noted=False,
            note="Called: pays on Friday",
            noted_by=_N8N,
            noted_at=_NOON + 9 * _MINUTE,
        )
    },
    orders.UndoResponse: {
        "undone": _UNDO,
        "a repeat": _UNDO.model_copy(update={"already_undone": True}),
    },
    orders.OrderRefundResponse: {
        "refunded": _REFUND,
        "after the sealing": _REFUND.model_copy(update={"status": "PAID"}),
        "a repeat": _REFUND.model_copy(update={"already_refunded": True}),
    },
    raffles.AvailabilityResponse: {
        "on sale": raffles.AvailabilityResponse(
            id=1,
            title="Summer Raffle",
            status="OPEN",
            selling=True,
            why_not=None,
            unit_price="5.00",
            currency="USD",
            total=1000,
            available=743,
            reserved=12,
            sold=245,
            draw_at=DRAW,
        )
    },
}
"""Examples of responses by model and name."""

REQUEST_EXAMPLES: Final[
    Mapping[type[order_decisions.StrictSerializer], Mapping[str, Mapping[str, Any]]]
] = {
    order_decisions.ConfirmationSerializer: {
        "the bank's reference": {
            "amount": "10.00",
            "reference": "SPEI 88213",
            "proofs": [12],
            "note": "Matched by n8n",
        },
        "nothing": {},
    },
    order_decisions.CancellationSerializer: {"a reason": {"reason": "Asked for by phone"}},
    order_decisions.RejectionSerializer: {
        "not credited": {"reason": "NOT_CREDITED", "note": "Nothing on the account yet"}
    },
    order_decisions.ResolutionSerializer: {
        "other numbers": {"decision": "replace", "numbers": ["013", "845"]},
        "the money goes back": {"decision": "refund", "note": "Sent back on Monday"},
    },
    order_decisions.UndoSerializer: {
        "a mistake": {"confirmation_id": 97, "reason": "It was another buyer's transfer"}
    },
    order_decisions.RefundSerializer: {
        "a transfer": {
            "confirmation_id": 97,
            "note": "Sent back to your account on Monday",
            "reference": "SPEI 90412",
        }
    },
    order_decisions.NoteSerializer: {"a call": {"note": "Called: pays on Friday"}},
    order_decisions.CallOffSerializer: {"a reason": {"reason": "The permit was withdrawn"}},
    draws.ValuesSerializer: {
        "of a lottery": {
            "position": 1,
            "values": ["5", "12", "33", "34", "41", "45"],
            "link": "https://lottery.example/results/118",
        },
        "of drand": {
            "position": 1,
            "values": ["4b1f0e5d2c" + "7" * 54],
            "link": f"https://api.drand.sh/{DRAND_CHAIN}/public/35000000",
        },
    },
    draws.DrawSerializer: {"what was looked at": {"fingerprint": "3f" * 32}},
    proof_moves.MoveSerializer: {
        "to another order": {"order": "R-7K3F9", "from_order": "R-4M8TQ"},
        "of a receipt without an order": {"order": "R-7K3F9", "from_order": None},
    },
    endpoints.NewEndpointSerializer: {
        "n8n": {
            "name": "n8n: new proofs",
            "url": "https://n8n.example/webhook/raffle",
            "types": ["order.proof_received"],
            "header_name": "X-N8N-Key",
            "header_value": "open sesame",
        }
    },
    endpoints.EndpointChangeSerializer: {"off": {"active": False}, "on": {"active": True}},
}
"""Examples of request bodies by serializer and name."""


def list_examples(kind: type) -> list[OpenApiExample]:
    """Return the OpenAPI examples of a response model or a serializer.

    A model without examples of its own gets one that is built from the examples of its fields.
    """
    examples: Mapping[str, Any] = RESPONSE_EXAMPLES.get(kind) or REQUEST_EXAMPLES.get(kind) or {}
    if not examples and issubclass(kind, BaseModel) and not issubclass(kind, base.ProblemResponse):
        examples = {"an answer": _build_example(kind)}
    return [
        OpenApiExample(
            name,
            value=value.model_dump(mode="json") if isinstance(value, BaseModel) else value,
        )
        for name, value in examples.items()
    ]


def _build_example(model: type[BaseModel]) -> Any:
    schema = model.model_json_schema(mode="serialization")
    return _build_example_value(schema, schema.get("$defs", {}))


def _build_example_value(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    """Return an example value for a JSON Schema.

    Args:
        schema: the schema of the value.
        parts: the definitions that `$ref` names.

    """
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": name}:
            return _build_example_value(parts[name.rpartition("/")[2]], parts)
        case {"anyOf": [either, *_]} | {"oneOf": [either, *_]}:
            return _build_example_value(either, parts)
        case {"properties": fields}:
            return {name: _build_example_value(field, parts) for name, field in fields.items()}
        case {"type": "array", "items": items}:
            return [_build_example_value(items, parts)]
        case {"type": "string", "format": "date-time"}:
            return _NOON.isoformat()
        case _:
            return {"integer": 1, "boolean": False, "string": ""}.get(schema.get("type", ""))
