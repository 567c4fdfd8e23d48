"""What a webhook says, item by item: one bad item never spoils the others, and none is lost.

Source: Meta's pages "Webhooks", "messages webhook reference" and "Business-scoped user ids".
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.whatsapp.content import Content, ContentKind, content
from shared.whatsapp.json_reader import (
    Unreadable,
    canonical,
    harmless,
    integer,
    items,
    loads,
    mapping,
    moment,
    string,
)
from shared.whatsapp.sender_ids import PERSON_ID_LIMIT, Cards, Sender, person_id, phone, read_sender
from shared.whatsapp.webhook_items import (
    IdentityChange,
    MessageItem,
    NoticeItem,
    StatusItem,
    UnreadablePart,
    Webhook,
)

UNANSWERED: Final = frozenset(
    {ContentKind.REACTION, ContentKind.EDIT, ContentKind.REVOKE, ContentKind.UNSUPPORTED}
)
"""Kinds that are kept and by design never answered."""

ATTENTION: Final = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "phone_number_quality_update",
        "security",
    }
)
"""Fields a person should look at."""

CALM: Final = frozenset(
    {
        "ACCOUNT_RECONNECTED",
        "AD_ACCOUNT_LINKED",
        "APPROVED",
        "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE",
        "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE",
        "MM_LITE_TERMS_SIGNED",
        "PARTNER_ADDED",
        "PARTNER_APP_INSTALLED",
        "THROUGHPUT_UPGRADE",
        "VERIFIED_ACCOUNT",
        "VOLUME_BASED_PRICING_TIER_UPDATE",
    }
)
"""Events and decisions in those fields that ask nothing of anybody."""

_BUYERS_FIELDS: Final = frozenset({"messages", ""})
"""Only here do `messages` come from buyers; in `standby` or `history` others answer them."""

_ITEMISED: Final = frozenset({"messaging_product", "metadata", "contacts", "messages", "statuses"})
"""Keys of a value whose content is kept in its items; whatever else there is becomes a notice."""

# What the columns of shared/whatsapp/models.py hold.
_PHONE_NUMBER_ID: Final = 32
_WAMID: Final = 255
_DEDUPE_KEY: Final = 320
_TYPE: Final = 40
_STATUS: Final = 20
_CALLBACK_DATA: Final = 512
_ERROR: Final = 500
_WABA_ID: Final = 40
_FIELD: Final = 80
_REASON: Final = 300
_TITLE: Final = 200


type Part = MessageItem | StatusItem | NoticeItem | UnreadablePart


def read(body: bytes) -> Webhook:
    """Read a webhook's body; never raises.

    Args:
        body: the bytes whose signature was checked.

    Returns:
        Every message, status and notice in it; what cannot be read is in `unreadable`.

    """
    parts = list(_parts(body))
    return Webhook(
        messages=tuple(part for part in parts if isinstance(part, MessageItem)),
        statuses=tuple(part for part in parts if isinstance(part, StatusItem)),
        notices=tuple(part for part in parts if isinstance(part, NoticeItem)),
        unreadable=tuple(dict.fromkeys(part for part in parts if isinstance(part, UnreadablePart))),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the webhook an item stands, and what holds for all items there."""

    body: bytes
    entry: Mapping[str, Any]
    change: Mapping[str, Any]
    value: Mapping[str, Any]
    field: str
    phone_number_id: str
    display_phone_number: str
    cards: Cards

    @classmethod
    def of(cls, change: Mapping[str, Any], *, entry: Mapping[str, Any], body: bytes) -> "_Place":
        """Read what holds for a change; Meta's samples put its field one level off at times."""
        value = mapping(change, "value")
        metadata = mapping(value, "metadata")
        fields = (string(level, "field") for level in (change, entry, value))
        return cls(
            body=body,
            entry=entry,
            change=change,
            value=value,
            field=next(filter(None, fields), ""),
            phone_number_id=string(metadata, "phone_number_id"),
            display_phone_number=string(metadata, "display_phone_number")[:_PHONE_NUMBER_ID],
            cards=Cards.of(value.get("contacts")),
        )

    def unreadable(self, reason: str, *, name: str = "", item: Any = None) -> UnreadablePart:
        """Keep an item, or the whole change, as a webhook that can be read again."""
        change = dict(self.change)
        if name:
            change["value"] = {"metadata": self.value.get("metadata"), name: [item]}
        entry = {key: self.entry[key] for key in ("id", "time") if key in self.entry}
        try:
            body = canonical({"entry": [{**entry, "changes": [change]}]})
        except (RecursionError, ValueError):
            body = self.body
        return UnreadablePart(body, reason[:_REASON])


def _parts(body: bytes) -> Iterator[Part]:
    try:
        document = loads(body)
    except Unreadable as error:
        yield UnreadablePart(body, str(error)[:_REASON])
        return
    if "value" in mapping(document):  # a bare change, as the samples of Meta's dashboard are
        document = {"entry": [{"changes": [document]}]}
    entries = mapping(document).get("entry")
    if not isinstance(entries, list | dict):
        yield UnreadablePart(body, "not a webhook of Meta: it has no entry")
        return
    for entry in items(entries):
        yield from _entry(entry, body=body)


def _entry(entry: Any, *, body: bytes) -> Iterator[Part]:
    changes = mapping(entry).get("changes")
    if not isinstance(changes, list | dict):
        yield UnreadablePart(body, "an entry without changes")
        return
    for change in items(changes):
        if isinstance(mapping(change).get("value"), dict):
            yield from _change(_Place.of(change, entry=entry, body=body))
        else:
            yield UnreadablePart(body, "a change without value")


def _change(place: _Place) -> Iterator[Part]:
    rest = set(place.value)
    itemised = False
    if place.field in _BUYERS_FIELDS:
        for name, read_item in (("messages", _message), ("statuses", _status)):
            for item in items(place.value.get(name)):
                itemised = True
                yield _read_item(read_item, item, name=name, place=place)
        rest -= _ITEMISED
    if rest or not itemised:
        yield _read_notice(place, itemised=itemised)


def _read_item(
    read_item: Callable[[dict[str, Any], _Place], Part], item: Any, *, name: str, place: _Place
) -> Part:
    try:
        if not isinstance(item, dict):
            raise Unreadable(f"one of the {name} is not an object")  # noqa: TRY301
        _fits(place.phone_number_id, limit=_PHONE_NUMBER_ID, name="phone_number_id")
        return read_item(harmless(item), place)
    except Unreadable as error:
        return place.unreadable(str(error), name=name, item=item)


def _message(item: dict[str, Any], place: _Place) -> MessageItem:
    wamid = _required(string(item, "id"), limit=_WAMID, name="id")
    sender = read_sender(item, cards=place.cards)
    said = content(item)
    return MessageItem(
        phone_number_id=place.phone_number_id,
        display_phone_number=place.display_phone_number,
        wa_message_id=wamid,
        dedupe_key=_dedupe_key(item, wamid=wamid),
        type=(string(item, "type") or said.kind.lower())[:_TYPE],
        text=said.text,
        sent_at=moment(item.get("timestamp")),
        payload=item,
        answerable=_is_answerable(item, sender, said, place),
        **sender,
    )


def _is_answerable(item: Mapping[str, Any], sender: Sender, said: Content, place: _Place) -> bool:
    """Whether it is a buyer's own message to us that asks for an answer."""
    ours = {"to", "to_user_id"} & set(item) or sender["wa_id"] == phone(place.display_phone_number)
    return bool(
        place.phone_number_id
        and (sender["user_id"] or sender["wa_id"])
        and not ours
        and not string(item, "group_id")
        and said.kind not in UNANSWERED
    )


def _dedupe_key(item: Mapping[str, Any], *, wamid: str) -> str:
    """The message's id; reactions that are set and taken back share one, so time and emoji join."""
    if string(item, "type") != "reaction":
        return wamid
    rest = "|".join((string(item, "timestamp"), string(item, "reaction", "emoji")))
    key = f"{wamid}|{rest}"
    return (
        key if len(key) <= _DEDUPE_KEY else f"{wamid}|{hashlib.sha256(rest.encode()).hexdigest()}"
    )


def _status(item: dict[str, Any], place: _Place) -> StatusItem:
    failure = mapping(next(iter(items(item.get("errors"))), None))
    return StatusItem(
        phone_number_id=place.phone_number_id,
        wa_message_id=_required(string(item, "id"), limit=_WAMID, name="id"),
        status=_required(string(item, "status"), limit=_STATUS, name="status"),
        participant=_fits(_participant(item), limit=PERSON_ID_LIMIT, name="participant"),
        callback_data=string(item, "biz_opaque_callback_data")[:_CALLBACK_DATA],
        occurred_at=moment(item.get("timestamp")),
        recipient_wa_id=phone(string(item, "recipient_id")),
        recipient_user_id=person_id(string(item, "recipient_user_id")),
        error_code=integer(failure.get("code")),
        error=_error_words(failure)[:_ERROR],
        payload=item,
    )


def _participant(item: Mapping[str, Any]) -> str:
    keys = ("recipient_participant_user_id", "recipient_participant_id", "participant_recipient_id")
    return next(filter(None, (string(item, key) for key in keys)), "")


def _error_words(failure: Mapping[str, Any]) -> str:
    """Say what Meta says: title and details, which old payloads keep on the top level."""
    title = string(failure, "title") or string(failure, "message")
    details = string(failure, "error_data", "details") or string(failure, "details")
    return ": ".join(dict.fromkeys(filter(None, (title, details))))


def _read_notice(place: _Place, *, itemised: bool) -> Part:
    dropped = _ITEMISED - {"metadata"} if itemised else frozenset[str]()
    rest = {key: value for key, value in place.value.items() if key not in dropped}
    try:
        _fits(place.phone_number_id, limit=_PHONE_NUMBER_ID, name="phone_number_id")
        return _notice(harmless({**place.change, "value": rest}), place)
    except Unreadable as error:
        return place.unreadable(str(error))


def _notice(change: dict[str, Any], place: _Place) -> NoticeItem:
    waba_id, time = string(place.entry, "id"), string(place.entry, "time")
    about = [
        string(item, "id")
        for name in ("messages", "statuses")
        for item in items(place.value.get(name))
    ]
    value = mapping(change, "value")
    failure = mapping(next(iter(items(value.get("errors"))), None))
    event = _error_words(failure) or string(value, "event") or string(value, "decision")
    return NoticeItem(
        dedupe_key=hashlib.sha256(canonical([waba_id, time, about, change])).hexdigest(),
        waba_id=waba_id[:_WABA_ID],
        field=place.field[:_FIELD],
        phone_number_id=place.phone_number_id,
        payload=change,
        needs_attention=bool(failure) or (place.field in ATTENTION and event not in CALM),
        title=": ".join(filter(None, (place.field, event)))[:_TITLE] or "notice",
        identity_changes=tuple(_identity_changes(value, place)),
    )


def _identity_changes(value: Mapping[str, Any], place: _Place) -> Iterator[IdentityChange]:
    for update in items(value.get("user_id_update")):
        previous = person_id(string(update, "user_id", "previous"))
        current = person_id(string(update, "user_id", "current"))
        if previous and current and previous != current:
            yield IdentityChange(
                phone_number_id=place.phone_number_id,
                previous_user_id=previous,
                user_id=current,
                parent_user_id=person_id(string(update, "parent_user_id", "current")) or "",
                wa_id=phone(string(update, "wa_id")),
            )


def _required(value: str, *, limit: int, name: str) -> str:
    if not value:
        raise Unreadable(f"{name} is missing")
    return _fits(value, limit=limit, name=name)


def _fits(value: str, *, limit: int, name: str) -> str:
    if len(value) > limit:
        raise Unreadable(f"{name} is longer than {limit}")
    return value
