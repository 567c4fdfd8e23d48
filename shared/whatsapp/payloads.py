"""Parsing of webhooks into items: a bad item does not affect the others, and none is lost.

Source: Meta's pages "Webhooks", "messages webhook reference" and "Business-scoped user ids".
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.whatsapp.content import ContentKind, MessageContent, parse_content
from shared.whatsapp.errors import UnreadableJson
from shared.whatsapp.json_reader import (
    make_storable,
    parse_json_for_storage,
    read_integer,
    read_items,
    read_mapping,
    read_string,
    read_timestamp,
    write_canonical_json,
)
from shared.whatsapp.notice_fields import ATTENTION_FIELDS, ROUTINE_EVENTS
from shared.whatsapp.sender_ids import (
    PERSON_ID_LIMIT,
    ContactCards,
    SenderFields,
    parse_person_id,
    parse_phone_number,
    read_sender,
)
from shared.whatsapp.webhook_items import (
    EchoItem,
    IdentityChange,
    MessageItem,
    NoticeItem,
    StatusItem,
    UnreadablePart,
    Webhook,
)

UNANSWERED_KINDS: Final = frozenset(
    {ContentKind.REACTION, ContentKind.EDIT, ContentKind.REVOKE, ContentKind.SYSTEM}
)
"""Kinds that are stored and by design never answered.

A system message is about the buyer and not from them; it is read for new ids.
"""


_BUYER_FIELDS: Final = frozenset({"messages", ""})
"""Fields whose `messages` come from buyers; in `standby` or `history` others answer them."""

_ECHO_FIELD: Final = "smb_message_echoes"
"""The field of what the seller writes in the WhatsApp Business app, beside this program.

Source: Meta's page "Onboarding WhatsApp Business app users".
"""

_ECHO_KEYS: Final = frozenset({"messaging_product", "metadata", "contacts", "message_echoes"})
"""Keys of an echo's value that are stored with its items or tell nothing new."""

_ITEMISED_KEYS: Final = frozenset(
    {"messaging_product", "metadata", "contacts", "messages", "statuses"}
)
"""Keys of a value that are stored with its items; any other key makes a notice."""

# Lengths of the columns in shared/whatsapp/models.py.
_PHONE_NUMBER_ID_LENGTH: Final = 32
_WAMID_LENGTH: Final = 255
_DEDUPE_KEY_LENGTH: Final = 320
_TYPE_LENGTH: Final = 40
_STATUS_LENGTH: Final = 20
_CALLBACK_DATA_LENGTH: Final = 512
_ERROR_LENGTH: Final = 500
_WABA_ID_LENGTH: Final = 40
_FIELD_LENGTH: Final = 80
_REASON_LENGTH: Final = 300
_TITLE_LENGTH: Final = 200


type WebhookPart = MessageItem | StatusItem | EchoItem | NoticeItem | UnreadablePart


def parse_webhook(body: bytes) -> Webhook:
    """Return the items of a webhook; never raise an error.

    Args:
        body: the bytes whose signature was checked.

    Returns:
        Every message, status, echo and notice in it; parts that cannot be read are in `unreadable`.

    """
    parts = list(_parse_parts(body))
    return Webhook(
        messages=tuple(part for part in parts if isinstance(part, MessageItem)),
        statuses=tuple(part for part in parts if isinstance(part, StatusItem)),
        notices=tuple(part for part in parts if isinstance(part, NoticeItem)),
        echoes=tuple(part for part in parts if isinstance(part, EchoItem)),
        unreadable=tuple(dict.fromkeys(part for part in parts if isinstance(part, UnreadablePart))),
    )


@dataclass(frozen=True, slots=True)
class _ChangeContext:
    """The change that an item belongs to, with the values shared by all its items."""

    body: bytes
    is_storable: bool
    entry: Mapping[str, Any]
    change: Mapping[str, Any]
    value: Mapping[str, Any]
    field: str
    phone_number_id: str
    display_phone_number: str
    cards: ContactCards

    @classmethod
    def from_change(
        cls, change: Mapping[str, Any], *, entry: Mapping[str, Any], body: bytes, is_storable: bool
    ) -> "_ChangeContext":
        """Return the context of a change, whose field some of Meta's samples put one level off."""
        value = read_mapping(change, "value")
        metadata = read_mapping(value, "metadata")
        fields = (read_string(level, "field") for level in (change, entry, value))
        return cls(
            body=body,
            is_storable=is_storable,
            entry=entry,
            change=change,
            value=value,
            field=next(filter(None, fields), ""),
            phone_number_id=read_string(metadata, "phone_number_id"),
            display_phone_number=read_string(metadata, "display_phone_number")[
                :_PHONE_NUMBER_ID_LENGTH
            ],
            cards=ContactCards.from_contacts(value.get("contacts")),
        )

    def build_unreadable_part(
        self, reason: str, *, name: str = "", item: Any = None
    ) -> UnreadablePart:
        """Return an item, or the whole change, as a webhook that can be parsed again."""
        change = dict(self.change)
        if name:
            change["value"] = {"metadata": self.value.get("metadata"), name: [item]}
        entry = {key: self.entry[key] for key in ("id", "time") if key in self.entry}
        try:
            body = write_canonical_json({"entry": [{**entry, "changes": [change]}]})
        except (RecursionError, ValueError):
            body = self.body
        return UnreadablePart(body, reason[:_REASON_LENGTH])


def _parse_parts(body: bytes) -> Iterator[WebhookPart]:
    try:
        document, is_storable = parse_json_for_storage(body)
    except UnreadableJson as error:
        yield UnreadablePart(body, str(error)[:_REASON_LENGTH])
        return
    if "value" in read_mapping(document):  # a bare change, as in the samples of Meta's dashboard
        document = {"entry": [{"changes": [document]}]}
    entries = read_mapping(document).get("entry")
    if not isinstance(entries, list | dict):
        yield UnreadablePart(body, "not a webhook of Meta: it has no entry")
        return
    for entry in read_items(entries):
        yield from _parse_entry(entry, body=body, is_storable=is_storable)


def _parse_entry(entry: Any, *, body: bytes, is_storable: bool) -> Iterator[WebhookPart]:
    changes = read_mapping(entry).get("changes")
    if not isinstance(changes, list | dict):
        yield UnreadablePart(body, "an entry without changes")
        return
    for change in read_items(changes):
        if isinstance(read_mapping(change).get("value"), dict):
            yield from _parse_change(
                _ChangeContext.from_change(change, entry=entry, body=body, is_storable=is_storable)
            )
        else:
            yield UnreadablePart(body, "a change without value")


def _parse_change(context: _ChangeContext) -> Iterator[WebhookPart]:
    other_keys = set(context.value)
    has_items = False
    if context.field in _BUYER_FIELDS:
        for name, parse_item in (("messages", _parse_message), ("statuses", _parse_status)):
            for item in read_items(context.value.get(name)):
                has_items = True
                yield _parse_item(parse_item, item, name=name, context=context)
        other_keys -= _ITEMISED_KEYS
    elif context.field == _ECHO_FIELD:
        for item in read_items(context.value.get("message_echoes")):
            has_items = True
            yield _parse_item(_parse_echo, item, name="message_echoes", context=context)
        other_keys -= _ECHO_KEYS
    if other_keys or not has_items:
        yield _parse_notice(context, has_items=has_items)


def _parse_item(
    parse_item: Callable[[dict[str, Any], _ChangeContext], WebhookPart],
    item: Any,
    *,
    name: str,
    context: _ChangeContext,
) -> WebhookPart:
    try:
        if not isinstance(item, dict):
            raise UnreadableJson(f"one of the {name} is not an object")  # noqa: TRY301
        _check_length(
            context.phone_number_id, limit=_PHONE_NUMBER_ID_LENGTH, name="phone_number_id"
        )
        return parse_item(item if context.is_storable else make_storable(item), context)
    except UnreadableJson as error:
        return context.build_unreadable_part(str(error), name=name, item=item)


def _parse_message(item: dict[str, Any], context: _ChangeContext) -> MessageItem:
    wamid = _require_value(read_string(item, "id"), limit=_WAMID_LENGTH, name="id")
    sender = read_sender(item, cards=context.cards)
    content = parse_content(item)
    return MessageItem(
        phone_number_id=context.phone_number_id,
        display_phone_number=context.display_phone_number,
        wa_message_id=wamid,
        dedupe_key=_build_dedupe_key(item, wamid=wamid),
        type=(read_string(item, "type") or content.kind.lower())[:_TYPE_LENGTH],
        text=content.text,
        sent_at=read_timestamp(item.get("timestamp")),
        payload=item,
        answerable=_is_answerable(item, sender, content, context),
        waba_id=read_string(context.entry, "id")[:_WABA_ID_LENGTH],
        **sender,
    )


def _is_answerable(
    item: Mapping[str, Any], sender: SenderFields, content: MessageContent, context: _ChangeContext
) -> bool:
    """Return whether it is a message from a buyer to the business number that may be answered."""
    is_echo = {"to", "to_user_id"} & set(item) or sender["wa_id"] == parse_phone_number(
        context.display_phone_number
    )
    return bool(
        context.phone_number_id
        and (sender["user_id"] or sender["wa_id"])
        and not is_echo
        and not read_string(item, "group_id")
        and (content.kind not in UNANSWERED_KINDS or content.lost_file)
    )


def _build_dedupe_key(item: Mapping[str, Any], *, wamid: str) -> str:
    """Return the message's id, with time and emoji if it is a reaction, whose changes share it."""
    if read_string(item, "type") != "reaction":
        return wamid
    suffix = "|".join((read_string(item, "timestamp"), read_string(item, "reaction", "emoji")))
    key = f"{wamid}|{suffix}"
    return (
        key
        if len(key) <= _DEDUPE_KEY_LENGTH
        else f"{wamid}|{hashlib.sha256(suffix.encode()).hexdigest()}"
    )


def _parse_status(item: dict[str, Any], context: _ChangeContext) -> StatusItem:
    failure = read_mapping(next(iter(read_items(item.get("errors"))), None))
    return StatusItem(
        phone_number_id=context.phone_number_id,
        wa_message_id=_require_value(read_string(item, "id"), limit=_WAMID_LENGTH, name="id"),
        status=_require_value(read_string(item, "status"), limit=_STATUS_LENGTH, name="status"),
        participant=_check_length(
            _find_participant(item), limit=PERSON_ID_LIMIT, name="participant"
        ),
        callback_data=read_string(item, "biz_opaque_callback_data")[:_CALLBACK_DATA_LENGTH],
        occurred_at=read_timestamp(item.get("timestamp")),
        recipient_wa_id=parse_phone_number(read_string(item, "recipient_id")),
        recipient_user_id=parse_person_id(read_string(item, "recipient_user_id")),
        error_code=read_integer(failure.get("code")),
        error=_format_error(failure)[:_ERROR_LENGTH],
        payload=item,
        waba_id=read_string(context.entry, "id")[:_WABA_ID_LENGTH],
    )


def _parse_echo(item: dict[str, Any], context: _ChangeContext) -> EchoItem:
    wa_id = parse_phone_number(read_string(item, "to"))
    user_id = parse_person_id(read_string(item, "to_user_id"))
    if not (wa_id or user_id):
        raise UnreadableJson("an echo names no addressee")
    card = context.cards.find_card(user_id=user_id, wa_id=wa_id)
    return EchoItem(
        phone_number_id=context.phone_number_id,
        display_phone_number=context.display_phone_number,
        wa_message_id=_require_value(read_string(item, "id"), limit=_WAMID_LENGTH, name="id"),
        user_id=user_id,
        parent_user_id=parse_person_id(read_string(item, "to_parent_user_id")) or "",
        wa_id=wa_id,
        profile_name=read_string(card, "profile", "name"),
        sent_at=read_timestamp(item.get("timestamp")),
        payload={key: value for key, value in item.items() if key not in _ECHO_ID_KEYS},
        waba_id=read_string(context.entry, "id")[:_WABA_ID_LENGTH],
    )


_ECHO_ID_KEYS: Final = frozenset(
    {"id", "timestamp", "from", "from_user_id", "to", "to_user_id", "to_parent_user_id"}
)
"""Keys of an echo that have a column of their own."""


def _find_participant(item: Mapping[str, Any]) -> str:
    keys = ("recipient_participant_user_id", "recipient_participant_id", "participant_recipient_id")
    return next(filter(None, (read_string(item, key) for key in keys)), "")


def _format_error(failure: Mapping[str, Any]) -> str:
    """Return title and details of an error; old payloads have both on the top level."""
    title = read_string(failure, "title") or read_string(failure, "message")
    details = read_string(failure, "error_data", "details") or read_string(failure, "details")
    return ": ".join(dict.fromkeys(filter(None, (title, details))))


def _parse_notice(context: _ChangeContext, *, has_items: bool) -> WebhookPart:
    dropped = (_ITEMISED_KEYS | _ECHO_KEYS) - {"metadata"} if has_items else frozenset[str]()
    kept = {key: value for key, value in context.value.items() if key not in dropped}
    try:
        _check_length(
            context.phone_number_id, limit=_PHONE_NUMBER_ID_LENGTH, name="phone_number_id"
        )
        return _build_notice(make_storable({**context.change, "value": kept}), context)
    except UnreadableJson as error:
        return context.build_unreadable_part(str(error))


def _build_notice(change: dict[str, Any], context: _ChangeContext) -> NoticeItem:
    waba_id, time = read_string(context.entry, "id"), read_string(context.entry, "time")
    item_ids = [
        read_string(item, "id")
        for name in ("messages", "statuses", "message_echoes")
        for item in read_items(context.value.get(name))
    ]
    value = read_mapping(change, "value")
    failure = read_mapping(next(iter(read_items(value.get("errors"))), None))
    event = _format_error(failure) or read_string(value, "event") or read_string(value, "decision")
    return NoticeItem(
        dedupe_key=hashlib.sha256(
            write_canonical_json([waba_id, time, item_ids, change])
        ).hexdigest(),
        waba_id=waba_id[:_WABA_ID_LENGTH],
        field=context.field[:_FIELD_LENGTH],
        phone_number_id=context.phone_number_id,
        payload=change,
        needs_attention=bool(failure)
        or (context.field in ATTENTION_FIELDS and event not in ROUTINE_EVENTS),
        title=": ".join(filter(None, (context.field, event)))[:_TITLE_LENGTH] or "notice",
        identity_changes=tuple(_parse_identity_changes(value, context)),
    )


def _parse_identity_changes(
    value: Mapping[str, Any], context: _ChangeContext
) -> Iterator[IdentityChange]:
    for update in read_items(value.get("user_id_update")):
        previous = parse_person_id(read_string(update, "user_id", "previous"))
        current = parse_person_id(read_string(update, "user_id", "current"))
        if previous and current and previous != current:
            yield IdentityChange(
                phone_number_id=context.phone_number_id,
                previous_user_id=previous,
                user_id=current,
                parent_user_id=parse_person_id(read_string(update, "parent_user_id", "current"))
                or "",
                wa_id=parse_phone_number(read_string(update, "wa_id")),
            )


def _require_value(value: str, *, limit: int, name: str) -> str:
    if not value:
        raise UnreadableJson(f"{name} is missing")
    return _check_length(value, limit=limit, name=name)


def _check_length(value: str, *, limit: int, name: str) -> str:
    if len(value) > limit:
        raise UnreadableJson(f"{name} is longer than {limit}")
    return value
