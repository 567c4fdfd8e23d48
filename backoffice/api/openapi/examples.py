"""An example of each body and answer: the very models that are answered with, so none can rot."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample
from pydantic import BaseModel

from backoffice.api.responses import orders
from backoffice.api.serializers import endpoints, order_decisions
from shared.core.enums import OrderStatus
from shared.publishing import representations

_NOON: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_RAFFLE: Final = representations.RaffleName(id=1, title="Summer Raffle")
_BUYER: Final = representations.Buyer(name="Ana", phone="+15550100001", user_id=None)
_N8N: Final = orders.By(kind="token", label="n8n")
_PROOF: Final = representations.Proof(
    id=12,
    status="KEPT",
    verdict="PENDING",
    content_type="image/jpeg",
    arrived_at=_NOON + 4 * _MINUTE,
    late=False,
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
ORDER: Final = representations.Order(
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
    proofs=[_PROOF],
)
_STANDING: Final[Mapping[str, Any]] = {"id": 41, "code": "R-7K3F9", "numbers": ["007", "013"]}
_HISTORY: Final = (
    orders.HistoryLine(
        action="PLACED",
        by=orders.By(kind="chat", label="Ana"),
        from_status="DRAFT",
        to_status="PENDING_PAYMENT",
        reason="",
        at=_NOON + _MINUTE,
    ),
    orders.HistoryLine(
        action="PROOF_RECEIVED",
        by=orders.By(kind="chat", label="Ana"),
        from_status=None,
        to_status=None,
        reason="",
        at=_NOON + 4 * _MINUTE,
    ),
)
_CONFIRMED: Final = orders.Confirmation(
    **_STANDING,
    status="PAID",
    already_confirmed=False,
    late=False,
    confirmed_by=_N8N,
    confirmed_at=_NOON + 9 * _MINUTE,
    buyer_notified="queued",
)
NUMBERS_TAKEN: Final = orders.DecisionNeeded(
    code="numbers_taken",
    message="The order had ended and some of its numbers belong to somebody else by now; "
    "nothing was sold, a person must decide.",
    detail={"taken": ["007"], "free": ["013"], "needs_decision": True},
    retryable=False,
    taken=["007"],
    free=["013"],
    needs_decision=True,
    order=ORDER.model_copy(update={"status": OrderStatus.EXPIRED, "needs_decision": True}),
)

ANSWERS: Final[Mapping[type[BaseModel], Mapping[str, BaseModel]]] = {
    orders.OrderPage: {
        "a page": orders.OrderPage(
            count=51,
            next="https://raffles.example/api/orders?status=PENDING_PAYMENT&after=41",
            previous=None,
            results=[ORDER],
        )
    },
    orders.OrderInFull: {"under review": orders.OrderInFull(**dict(ORDER), history=list(_HISTORY))},
    orders.Confirmation: {
        "confirmed": _CONFIRMED,
        "a repeat": _CONFIRMED.model_copy(update={"already_confirmed": True}),
        "paid late": _CONFIRMED.model_copy(update={"late": True}),
    },
    orders.Cancellation: {
        "cancelled": orders.Cancellation(
            **_STANDING,
            status="CANCELLED",
            already_cancelled=False,
            cancelled_by=_N8N,
            cancelled_at=_NOON + 9 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.Rejection: {
        "rejected": orders.Rejection(
            **_STANDING,
            status="PENDING_PAYMENT",
            already_rejected=False,
            reason="Not credited: nothing on the account yet",
            rejected_by=_N8N,
            rejected_at=_NOON + 9 * _MINUTE,
            expires_at=_NOON + 39 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.Resolution: {
        "replaced": orders.Resolution(
            **{**_STANDING, "numbers": ["013", "845"]},
            status="PAID",
            decision="replace",
            already_resolved=False,
            resolved_by=_N8N,
            resolved_at=_NOON + 9 * _MINUTE,
            buyer_notified="queued",
        )
    },
    orders.Availability: {
        "on sale": orders.Availability(
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
            draw_at=_NOON + timedelta(days=20),
        )
    },
}
"""Of each model that is an answer, by what it shows."""

BODIES: Final[Mapping[type[order_decisions.Body], Mapping[str, Mapping[str, Any]]]] = {
    order_decisions.Confirmation: {
        "the bank's reference": {
            "amount": "10.00",
            "reference": "SPEI 88213",
            "proofs": [12],
            "note": "Matched by n8n",
        },
        "nothing": {},
    },
    order_decisions.Cancellation: {"a reason": {"reason": "Asked for by phone"}},
    order_decisions.Rejection: {
        "not credited": {"reason": "NOT_CREDITED", "note": "Nothing on the account yet"}
    },
    order_decisions.Resolution: {
        "other numbers": {"decision": "replace", "numbers": ["013", "845"]},
        "the money goes back": {"decision": "refund", "note": "Sent back on Monday"},
    },
    endpoints.NewEndpoint: {
        "n8n": {
            "name": "n8n: new proofs",
            "url": "https://n8n.example/webhook/raffle",
            "types": ["order.proof_received"],
            "header_name": "X-N8N-Key",
            "header_value": "open sesame",
        }
    },
    endpoints.EndpointChange: {"off": {"active": False}, "on": {"active": True}},
}
"""Of each body that a request may have."""


def of(kind: type) -> list[OpenApiExample]:
    """Give the examples of an answer's or a body's class, as the schema lists them.

    A model that is not named above is shown with the examples of its own fields.
    """
    shown: Mapping[str, Any] = ANSWERS.get(kind) or BODIES.get(kind) or {}
    if not shown and issubclass(kind, BaseModel) and not issubclass(kind, orders.Problem):
        shown = {"an answer": _put_together(kind)}
    return [
        OpenApiExample(
            name,
            value=value.model_dump(mode="json") if isinstance(value, BaseModel) else value,
        )
        for name, value in shown.items()
    ]


def _put_together(model: type[BaseModel]) -> Any:
    schema = model.model_json_schema(mode="serialization")
    return _example(schema, schema.get("$defs", {}))


def _example(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    """Make up a value from what its JSON Schema shows."""
    match schema:
        case {"examples": [first, *_]} | {"const": first} | {"enum": [first, *_]}:
            return first
        case {"$ref": name}:
            return _example(parts[name.rpartition("/")[2]], parts)
        case {"anyOf": [either, *_]} | {"oneOf": [either, *_]}:
            return _example(either, parts)
        case {"properties": fields}:
            return {name: _example(field, parts) for name, field in fields.items()}
        case {"type": "array", "items": items}:
            return [_example(items, parts)]
        case {"type": "string", "format": "date-time"}:
            return _NOON.isoformat()
        case _:
            return {"integer": 1, "boolean": False, "string": ""}.get(schema.get("type", ""))
