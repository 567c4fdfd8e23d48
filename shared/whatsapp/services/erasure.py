"""Erasure of contacts: their ids, names, conversation and messages; the rows stay without them.

Orders and payment proofs refer to the row of a contact. The functions run inside the caller's
transaction. Orders and proofs are erased in `shared.use_cases.contacts.buyer_erasure`.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from shared.core.constants import ERASED_BUYER
from shared.core.enums import InboxStatus, OutboxStatus, State
from shared.whatsapp.models import (
    AccountNotice,
    Alarm,
    ContactAlias,
    ContactJoin,
    DeletedMessages,
    DeliveryStatus,
    InboundMessage,
    JoinSuggestion,
    OutboundMessage,
    ReceivedWebhook,
    UnreadableItem,
    WhatsAppContact,
)

UNDER_WAY: Final = (OutboxStatus.SENDING, OutboxStatus.UNKNOWN)
"""Statuses of messages about which Meta's answer is awaited."""

KEEP_COUNTS_FOR: Final = timedelta(days=32)
"""Longer than a month, for which messages are counted, in every time zone."""

_ROWS_PER_STATEMENT: Final = 500


@dataclass(frozen=True, slots=True)
class ContactKeys:
    """All ids and names of a person, by which copies of them are found.

    Attributes:
        ids: phone numbers without `+`, and user ids.
        names: profile names and user names.

    """

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __or__(self, other: "ContactKeys") -> "ContactKeys":
        return ContactKeys(self.ids | other.ids, self.names | other.names)


def list_group(contact_id: int) -> list[int]:
    """Return a contact and all that were joined into it, or into the one it was joined into.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    root = WhatsAppContact.objects.only("pk", "joined_into_id").get(pk=contact_id)
    while root.joined_into_id is not None:
        root = WhatsAppContact.objects.only("pk", "joined_into_id").get(pk=root.joined_into_id)
    group, latest = {root.pk}, {root.pk}
    while latest:
        joined = WhatsAppContact.objects.filter(joined_into__in=latest).order_by()
        latest = set(joined.values_list("pk", flat=True)) - group
        group |= latest
    return sorted(group)


def lock_for_erasure(ids: Collection[int]) -> list[WhatsAppContact]:
    """Lock contacts in ascending order of their ids, also against new messages of theirs.

    A message that is stored at this moment waits; `contacts.rehome_messages` gives it to a new
    contact of the same person afterwards.
    """
    return list(WhatsAppContact.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


def has_messages_under_way(ids: Collection[int]) -> bool:
    """Return whether a message of contacts waits for its answer, or one to them is being sent.

    A webhook that is not read yet and names a contact counts as a message.
    """
    waiting = InboundMessage.objects.filter(contact__in=ids, status=InboxStatus.RECEIVED)
    sending = OutboundMessage.objects.filter(contact__in=ids, status__in=UNDER_WAY)
    return waiting.exists() or sending.exists() or _is_named_in_unread_webhooks(ids)


def _is_named_in_unread_webhooks(ids: Collection[int]) -> bool:
    keys = WhatsAppContact.objects.filter(pk__in=ids).values_list("user_id", "wa_id")
    needles = [key.encode() for pair in keys for key in pair if key]
    unread = ReceivedWebhook.objects.order_by("pk").values_list("body", flat=True)
    return any(key in bytes(body) for body in unread.iterator() for key in needles)


def collect_keys(contacts: Iterable[WhatsAppContact]) -> ContactKeys:
    """Return the ids and names that contacts have and had, as far as their rows know them."""
    contacts = list(contacts)
    ids = {value for each in contacts for value in (each.wa_id, each.user_id) if value}
    ids |= {each.parent_user_id for each in contacts if each.parent_user_id}
    aliases = ContactAlias.objects.filter(contact__in=contacts).order_by()
    ids |= set(aliases.values_list("user_id", flat=True))
    names = {name for each in contacts for name in (each.profile_name, each.username) if name}
    for before in ContactJoin.objects.filter(kept__in=contacts, joined__in=contacts).values_list(
        "before", flat=True
    ):
        sides = [before["kept"], before["joined"]]
        ids |= {side[key] for side in sides for key in ("user_id", "wa_id") if side[key]}
        names |= {side[key] for side in sides for key in ("profile_name", "username") if side[key]}
    return ContactKeys(frozenset(ids), frozenset(names))


def list_partners(ids: Collection[int]) -> list[int]:
    """Return the other contacts with which these were joined, or suggested to be."""
    partners: set[int] = set()
    for model, one, other in (
        (ContactJoin, "kept_id", "joined_id"),
        (JoinSuggestion, "first_id", "second_id"),
    ):
        rows = model._default_manager.filter(  # noqa: SLF001 - documented by Django
            Q(**{f"{one}__in": ids}) | Q(**{f"{other}__in": ids})
        )
        partners |= {pk for pair in rows.values_list(one, other) for pk in pair}
    return sorted(partners - set(ids))


def list_joined_orders(ids: Collection[int]) -> list[int]:
    """Return the ids of orders that moved with joins of contacts, whose history names them."""
    joins = ContactJoin.objects.filter(Q(kept__in=ids) | Q(joined__in=ids)).order_by()
    return sorted({pk for moved in joins.values_list("moved", flat=True) for pk in moved["orders"]})


def erase_contacts(contacts: Collection[WhatsAppContact], *, now: datetime) -> int:
    """Erase locked contacts with their messages, and return how many messages that were.

    Joins and suggestions of joins are deleted: they hold the ids and names of both sides.
    """
    ids = [contact.pk for contact in contacts]
    count = delete_messages(
        inbound=InboundMessage.objects.filter(contact__in=ids),
        outbound=OutboundMessage.objects.filter(contact__in=ids),
        now=now,
    )
    ContactAlias.objects.filter(contact__in=ids).delete()
    ContactJoin.objects.filter(Q(kept__in=ids) | Q(joined__in=ids)).delete()
    about = Q(first__in=ids) | Q(second__in=ids) | Q(current__in=ids)
    JoinSuggestion.objects.filter(about).delete()
    WhatsAppContact.objects.filter(pk__in=ids).update(
        user_id=None,
        wa_id=None,
        parent_user_id="",
        profile_name=ERASED_BUYER,
        username="",
        state=State.MENU,
        context={},
        last_inbound_at=None,
        is_blocked=False,
        wants_person_at=None,
        bot_paused_until=None,
        pause_cause=None,
        stopped_at=None,
        started_at=None,
        attribution=None,
        identity_conflict=False,
        send_after=None,
        pair_rate_hits=0,
        erased_at=now,
    )
    return count


def delete_messages(
    *, inbound: QuerySet[InboundMessage], outbound: QuerySet[OutboundMessage], now: datetime
) -> int:
    """Lock and delete messages with their delivery statuses, and return how many messages.

    Those that were sent lately stay in the count of the month.
    """
    ids_in = _lock_rows(inbound)
    rows = outbound.select_for_update(no_key=True).order_by("pk")
    sent = list(rows.values_list("pk", "phone_number_id", "wa_message_id", "sent_at"))
    _record_deleted_messages(((number, at) for _, number, _, at in sent), now=now)
    for chunk in _split(sent):
        wamids = [wamid for _, _, wamid, _ in chunk if wamid]
        DeliveryStatus.objects.filter(
            phone_number_id__in={number for _, number, _, _ in chunk}, wa_message_id__in=wamids
        ).delete()
        OutboundMessage.objects.filter(pk__in=[pk for pk, _, _, _ in chunk]).delete()
    for answered in _split(ids_in):
        OutboundMessage.objects.filter(in_reply_to__in=answered).update(in_reply_to=None)
        InboundMessage.objects.filter(pk__in=answered).delete()
    return len(sent) + len(ids_in)


def _record_deleted_messages(sent: Iterable[tuple[str, datetime | None]], *, now: datetime) -> None:
    """Add the messages that were sent lately to those that are counted without their rows."""
    oldest = now - KEEP_COUNTS_FOR
    counts = Counter(
        (number, at.replace(minute=0, second=0, microsecond=0))
        for number, at in sent
        if at is not None and at >= oldest
    )
    DeletedMessages.objects.bulk_create(
        DeletedMessages(phone_number_id=number, hour=hour, count=count)
        for (number, hour), count in sorted(counts.items())
    )


def erase_from_logs(keys: ContactKeys, *, now: datetime) -> int:
    """Erase a person from records that name no contact; return how many records were changed.

    These are messages for other business numbers, statuses that found no message, account notices,
    unreadable items, and alarms. It reads all of them, so it is for a request of one person; the
    retention period ends by their age.
    """
    if not keys.ids:
        return 0
    phones = sorted(keys.ids)
    named = Q(payload__recipient_id__in=phones) | Q(payload__recipient_user_id__in=phones)
    erased = DeliveryStatus.objects.filter(Q(participant__in=phones) | named).delete()[0]
    erased += _mentions(InboundMessage.objects.filter(contact=None), keys).delete()[0]
    erased += _mentions(AccountNotice.objects.all(), keys).update(payload={})
    needles = [key.encode() for key in phones]
    unreadable = UnreadableItem.objects.order_by("pk").values_list("pk", "body")
    found = [pk for pk, body in unreadable.iterator() if any(key in bytes(body) for key in needles)]
    erased += UnreadableItem.objects.filter(pk__in=found).delete()[0]
    about = Q()
    for key in phones:
        about |= Q(detail__contains=key)
    return erased + Alarm.objects.filter(about).update(detail="", last_at=now)


def delete_old_logs(*, before: datetime, limit: int) -> int:
    """Delete some records of the channel that are older than a time, and return how many.

    These are counts of deleted messages, statuses, messages without a contact, account notices,
    unreadable items and resolved alarms.

    Args:
        before: later records are kept.
        limit: rows of each kind; call again until it returns 0.

    """
    return sum(
        _delete_some(rows, limit=limit)
        for rows in (
            DeletedMessages.objects.filter(hour__lt=before - KEEP_COUNTS_FOR),
            DeliveryStatus.objects.filter(received_at__lt=before, applied_at__isnull=False),
            InboundMessage.objects.filter(contact=None, received_at__lt=before),
            AccountNotice.objects.filter(received_at__lt=before, needs_attention=False),
            UnreadableItem.objects.filter(received_at__lt=before),
            Alarm.objects.filter(resolved_at__lt=before),
        )
    )


def _delete_some(rows: QuerySet[Any], *, limit: int) -> int:
    unlocked = rows.select_for_update(skip_locked=True).order_by("pk")
    ids = list(unlocked.values_list("pk", flat=True)[:limit])
    if rows.model is InboundMessage:
        OutboundMessage.objects.filter(in_reply_to__in=ids).update(in_reply_to=None)
    rows.model._default_manager.filter(pk__in=ids).delete()  # noqa: SLF001 - documented by Django
    return len(ids)


def _mentions(rows: QuerySet[Any], keys: ContactKeys) -> QuerySet[Any]:
    """Return the rows whose payload contains an id, as a whole value."""
    condition = Q()
    for key in sorted(keys.ids):
        condition |= Q(payload_text__contains=f'"{key}"')
    mentioning: QuerySet[Any] = rows.annotate(payload_text=Cast("payload", TextField()))
    return mentioning.filter(condition)


def _lock_rows(rows: QuerySet[Any]) -> list[int]:
    return list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _split[Item](items: list[Item]) -> Iterable[list[Item]]:
    return (
        items[start : start + _ROWS_PER_STATEMENT]
        for start in range(0, len(items), _ROWS_PER_STATEMENT)
    )
