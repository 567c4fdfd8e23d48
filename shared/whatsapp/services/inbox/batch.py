"""Batches of webhook items, each item once by the key that identifies its repeats."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.whatsapp.webhook_items import (
    EchoItem,
    MessageItem,
    NoticeItem,
    StatusItem,
    UnreadablePart,
    Webhook,
)

type MessageKey = tuple[str, str]
"""Business number and dedupe key."""

type EchoKey = tuple[str, str]
"""Business number and message."""

type StatusKey = tuple[str, str, str, str]
"""Business number, message, status and participant."""


class Arrival(NamedTuple):
    """The time at which a webhook arrived, and the id under which its messages are logged."""

    received_at: datetime
    correlation_id: str


type WebhookItem = MessageItem | StatusItem | EchoItem | NoticeItem | UnreadablePart


@dataclass(frozen=True, slots=True)
class WebhookBatch:
    """The items that one transaction stores, by the key that identifies their repeats.

    They are in the order of their arrival.
    """

    messages: Mapping[MessageKey, MessageItem] = field(default_factory=dict)
    arrivals: Mapping[MessageKey, Arrival] = field(default_factory=dict)
    statuses: Mapping[StatusKey, StatusItem] = field(default_factory=dict)
    notices: Mapping[str, NoticeItem] = field(default_factory=dict)
    unreadable: Mapping[str, UnreadablePart] = field(default_factory=dict)
    echoes: Mapping[EchoKey, EchoItem] = field(default_factory=dict)

    @classmethod
    def from_webhooks(
        cls, webhooks: Sequence[Webhook], arrivals: Sequence[Arrival]
    ) -> "WebhookBatch":
        """Return the items of some webhooks; `arrivals` has one arrival for each webhook."""
        messages: dict[MessageKey, MessageItem] = {}
        arrivals_by_key: dict[MessageKey, Arrival] = {}
        statuses: dict[StatusKey, StatusItem] = {}
        notices: dict[str, NoticeItem] = {}
        unreadable: dict[str, UnreadablePart] = {}
        echoes: dict[EchoKey, EchoItem] = {}
        for webhook, arrival in zip(webhooks, arrivals, strict=True):
            for message in webhook.messages:
                key = (message.phone_number_id, message.dedupe_key)
                if key not in messages:
                    messages[key] = message
                    arrivals_by_key[key] = arrival
            for status in webhook.statuses:
                statuses.setdefault(_build_status_key(status), status)
            for echo in webhook.echoes:
                echoes.setdefault((echo.phone_number_id, echo.wa_message_id), echo)
            for notice in webhook.notices:
                notices.setdefault(notice.dedupe_key, notice)
            for part in webhook.unreadable:
                unreadable.setdefault(hashlib.sha256(part.body).hexdigest(), part)
        return cls(messages, arrivals_by_key, statuses, notices, unreadable, echoes)

    def split_into_single_items(self) -> Iterator[tuple[WebhookItem, "WebhookBatch"]]:
        """Yield each item with a batch that contains only that item."""
        for key, message in self.messages.items():
            yield message, WebhookBatch({key: message}, {key: self.arrivals[key]})
        for status_key, status in self.statuses.items():
            yield status, WebhookBatch(statuses={status_key: status})
        for echo_key, echo in self.echoes.items():
            yield echo, WebhookBatch(echoes={echo_key: echo})
        for notice_key, notice in self.notices.items():
            yield notice, WebhookBatch(notices={notice_key: notice})
        for sha256, part in self.unreadable.items():
            yield part, WebhookBatch(unreadable={sha256: part})


def _build_status_key(item: StatusItem) -> StatusKey:
    return (item.phone_number_id, item.wa_message_id, item.status, item.participant)
