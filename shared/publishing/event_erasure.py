"""Erasure of buyers from recorded events; what was sold, and when, stays in the feed.

An event that was delivered before is with its receiver, who has to erase it there.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db.models import QuerySet

from shared.core.constants import ERASED_BUYER
from shared.core.enums import ActorKind, EventType
from shared.events.models import Event, EventDelivery
from shared.publishing import representations

_ERASED: Final = representations.Buyer(name=ERASED_BUYER, phone=None, user_id=None).model_dump()
_EVENTS_PER_BATCH: Final = 200


def erase_order_events(codes: Collection[str]) -> int:
    """Erase the buyer from the events of orders, also from those about their messages.

    Args:
        codes: the codes of the orders.

    Returns:
        The number of events that were changed.

    """
    return _erase_all(Event.objects.filter(subject__in=codes))


def erase_sender_events(codes: Collection[str], *, names: Collection[str]) -> int:
    """Erase the name of a buyer who sent a receipt for other buyers' orders from their events."""
    count = 0
    for event in Event.objects.filter(subject__in=codes).order_by("pk"):
        by = event.data.get("by")
        if _is_chat(by) and by["label"] in names:
            data = {**event.data, "by": {**by, "label": ERASED_BUYER}}
            count += Event.objects.filter(pk=event.pk).update(data=data)
    return count


def erase_person_events(ids: Collection[str]) -> int:
    """Erase a person from events that name no order: failed messages, waits for a person, alerts.

    Args:
        ids: phone numbers without `+`, and user ids.

    """
    return _erase_all(_query_events_about(ids))


def erase_event_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an event without its buyer and without texts that may name them."""
    erased = dict(data)
    if order := data.get("order"):
        refund = order.get("refund")
        erased["order"] = {
            **order,
            "buyer": order.get("buyer") and _ERASED,
            "refund": refund and {**refund, "reference": ""},
        }
    if winner := data.get("winner"):
        erased["winner"] = {**winner, "buyer": winner.get("buyer") and _ERASED}
    if message := data.get("message"):
        erased["message"] = {**message, "buyer": _ERASED, "reason": ""}
    if contact := data.get("contact"):
        erased["contact"] = {**contact, "buyer": _ERASED}
    if alert := data.get("alert"):
        erased["alert"] = {**alert, "detail": ""}
    if "reason" in data:
        erased["reason"] = ""
    if _is_chat(data.get("by")):
        erased["by"] = {**data["by"], "label": ERASED_BUYER}
    return erased


def _query_events_about(ids: Collection[str]) -> QuerySet[Event]:
    """Return the events without an order that name one of these ids; there are few of them."""
    types = (
        EventType.MESSAGE_FAILED,
        EventType.CONTACT_WANTS_PERSON,
        EventType.CHANNEL_ALERT,
    )
    events = Event.objects.filter(type__in=types, order_id=None).order_by("pk")
    found = [event.pk for event in events.iterator() if _names_any(event.data, ids)]
    return Event.objects.filter(pk__in=found)


def _names_any(data: Mapping[str, Any], ids: Collection[str]) -> bool:
    text = json.dumps(data)
    return any(one in text for one in ids)


def _is_chat(by: Any) -> bool:
    return bool(by) and by["kind"] == ActorKind.CHAT.lower()


def _erase_all(events: QuerySet[Event]) -> int:
    changed: list[int] = []
    for event in events.order_by("pk").iterator(chunk_size=_EVENTS_PER_BATCH):
        data = erase_event_data(event.data)
        if data != event.data:
            Event.objects.filter(pk=event.pk).update(data=data)
            changed.append(event.pk)
    _forget_answers(changed)
    return len(changed)


def _forget_answers(event_ids: Iterable[int]) -> None:
    """Forget how receivers answered: some answer with what they got."""
    answered = EventDelivery.objects.filter(event__in=list(event_ids)).exclude(response="")
    answered.update(response="")
