"""Webhooks taken apart: each item once, by the key that makes it the same when it comes again."""

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
    """What a transaction keeps: items by the key that makes them the same."""

    messages: Mapping[MessageKey, MessageItem] = field(default_factory=dict)
    correlation_ids: Mapping[MessageKey, str] = field(default_factory=dict)
    statuses: Mapping[StatusKey, StatusItem] = field(default_factory=dict)
    notices: Mapping[str, NoticeItem] = field(default_factory=dict)
    unreadable: Mapping[str, UnreadablePart] = field(default_factory=dict)

    @classmethod
    def from_webhooks(
        cls, webhooks: Sequence[Webhook], correlation_ids: Sequence[str]
    ) -> "WebhookBatch":
        """Take webhooks apart; `correlation_ids` has one for each."""
        messages: dict[MessageKey, MessageItem] = {}
        traces: dict[MessageKey, str] = {}
        statuses: dict[StatusKey, StatusItem] = {}
        found: dict[str, NoticeItem] = {}
        unreadable: dict[str, UnreadablePart] = {}
        for webhook, trace in zip(webhooks, correlation_ids, strict=True):
            for message in webhook.messages:
                key = (message.phone_number_id, message.dedupe_key)
                if key not in messages:
                    messages[key] = message
                    traces[key] = trace
            for status in webhook.statuses:
                statuses.setdefault(_build_status_key(status), status)
            for notice in webhook.notices:
                found.setdefault(notice.dedupe_key, notice)
            for part in webhook.unreadable:
                unreadable.setdefault(hashlib.sha256(part.body).hexdigest(), part)
        return cls(messages, traces, statuses, found, unreadable)

    def split_into_single_items(self) -> Iterator[tuple[WebhookItem, "WebhookBatch"]]:
        """Give each item with a batch that holds nothing else."""
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
