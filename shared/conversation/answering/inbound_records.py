"""Records at the end of a transaction that answered buyers: conversations and handled messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import models

from shared.core.enums import InboxStatus
from shared.core.statements.compiled_queries import CompiledUpdate, IsIn, Parameter
from shared.whatsapp.models import InboundMessage, WhatsAppContact
from shared.whatsapp.services.handover import HANDOVER_FIELDS


@dataclass(frozen=True, slots=True)
class HandledMessages:
    """Messages of a buyer that were answered or left without an answer, in their order.

    Attributes:
        contact: the buyer, locked, with the new state and context.
        messages: the messages; `error` says why one got no answer.

    """

    contact: WhatsAppContact
    messages: Sequence[InboundMessage]


def save_conversations(handled: Sequence[HandledMessages], *, now: datetime) -> None:
    """Write the conversations of several buyers, and that their messages were handled."""
    for each in handled:
        _update_last_inbound(each, now=now)
    _SAVE_CONVERSATION.run_many(
        [
            {
                "id": each.contact.pk,
                "state": each.contact.state,
                "context": each.contact.context,
                "last_inbound_at": each.contact.last_inbound_at,
                "adult_confirmed_at": each.contact.adult_confirmed_at,
                "attribution": each.contact.attribution,
                **{name: getattr(each.contact, name) for name in HANDOVER_FIELDS},
            }
            for each in handled
        ]
    )
    ids_by_reason: dict[str, list[int]] = {}
    for each in handled:
        for message in each.messages:
            ids_by_reason.setdefault(message.error, []).append(message.pk)
    _MARK_PROCESSED.run_many(
        [{"ids": ids, "now": now, "reason": reason} for reason, ids in ids_by_reason.items()]
    )


def _update_last_inbound(handled: HandledMessages, *, now: datetime) -> None:
    """Set the start of the 24-hour window: the time when the buyer wrote last.

    A `system` message is about the buyer but not from them. A time in the future counts as now.
    """
    contact = handled.contact
    for message in handled.messages:
        sent_at = min(message.sent_at, now)
        last = contact.last_inbound_at
        if message.type != "system" and (last is None or sent_at > last):
            contact.last_inbound_at = sent_at


_FIELDS: Final = {field.name: field for field in WhatsAppContact._meta.fields}  # noqa: SLF001

_SAVE_CONVERSATION: Final = CompiledUpdate(
    lambda: WhatsAppContact.objects.filter(pk=Parameter("id", models.BigIntegerField())),
    state=Parameter("state", models.CharField()),
    context=Parameter("context", models.JSONField()),
    last_inbound_at=Parameter("last_inbound_at", models.DateTimeField()),
    adult_confirmed_at=Parameter("adult_confirmed_at", models.DateTimeField()),
    attribution=Parameter("attribution", models.JSONField()),
    **{name: Parameter(name, _FIELDS[name]) for name in HANDOVER_FIELDS},
)

_MARK_PROCESSED: Final = CompiledUpdate(
    lambda: InboundMessage.objects.filter(IsIn("id", "ids")),
    status=InboxStatus.PROCESSED,
    processed_at=Parameter("now", models.DateTimeField()),
    next_attempt_at=None,
    error=Parameter("reason", models.CharField()),
)
