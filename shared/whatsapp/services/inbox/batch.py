"""Batches of webhook items, each item once by the key that identifies its repeats."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.whatsapp.webhook_items import (
    MessageItem,
    NoticeItem,
    StatusItem,
    UnreadablePart,
    Webhook,
)

type MessageKey = tuple[str, str]
"""Business number and dedupe key."""

type StatusKey = tuple[str, str, str, str]
"""Business number, message, status and participant."""

type WebhookItem = MessageItem | StatusItem | NoticeItem | UnreadablePart


@dataclass(frozen=True, slots=True)
class WebhookBatch:
    """The items that one transaction stores, by the key that identifies their repeats."""

    messages: Mapping[MessageKey, MessageItem] = field(default_factory=dict)
    correlation_ids: Mapping[MessageKey, str] = field(default_factory=dict)
    statuses: Mapping[StatusKey, StatusItem] = field(default_factory=dict)
    notices: Mapping[str, NoticeItem] = field(default_factory=dict)
    unreadable: Mapping[str, UnreadablePart] = field(default_factory=dict)

    @classmethod
    def from_webhooks(
        cls, webhooks: Sequence[Webhook], correlation_ids: Sequence[str]
    ) -> "WebhookBatch":
        """Return the items of some webhooks; `correlation_ids` has one id for each webhook."""
        messages: dict[MessageKey, MessageItem] = {}
        ids_by_key: dict[MessageKey, str] = {}
        statuses: dict[StatusKey, StatusItem] = {}
        notices: dict[str, NoticeItem] = {}
        unreadable: dict[str, UnreadablePart] = {}
        for webhook, correlation_id in zip(webhooks, correlation_ids, strict=True):
            for message in webhook.messages:
                key = (message.phone_number_id, message.dedupe_key)
                if key not in messages:
                    messages[key] = message
                    ids_by_key[key] = correlation_id
            for status in webhook.statuses:
                statuses.setdefault(_build_status_key(status), status)
            for notice in webhook.notices:
                notices.setdefault(notice.dedupe_key, notice)
            for part in webhook.unreadable:
                unreadable.setdefault(hashlib.sha256(part.body).hexdigest(), part)
        return cls(messages, ids_by_key, statuses, notices, unreadable)

    def split_into_single_items(self) -> Iterator[tuple[WebhookItem, "WebhookBatch"]]:
        """Yield each item with a batch that contains only that item."""
        for key, message in self.messages.items():
            yield message, WebhookBatch({key: message}, {key: self.correlation_ids[key]})
        for status_key, status in self.statuses.items():
            yield status, WebhookBatch(statuses={status_key: status})
        for notice_key, notice in self.notices.items():
            yield notice, WebhookBatch(notices={notice_key: notice})
        for sha256, part in self.unreadable.items():
            yield part, WebhookBatch(unreadable={sha256: part})


def _build_status_key(item: StatusItem) -> StatusKey:
    return (item.phone_number_id, item.wa_message_id, item.status, item.participant)
