"""Joins of two contacts of one person: their ids, names, conversation and messages.

Orders and payment proofs move with them in `shared.use_cases.contacts.contact_joins`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from shared.whatsapp.errors import (
    ContactAlreadyJoined,
    JoinAlreadyUndone,
    OtherBusinessNumber,
    SameContact,
)
from shared.whatsapp.models import (
    ContactAlias,
    ContactJoin,
    InboundMessage,
    OutboundMessage,
    WhatsAppContact,
)
from shared.whatsapp.services.handover import HANDOVER_FIELDS

_FIELDS: Final = (
    "user_id",
    "wa_id",
    "parent_user_id",
    "profile_name",
    "username",
    "state",
    "context",
    "last_inbound_at",
    "is_blocked",
    "adult_confirmed_at",
    "wants_person_at",
    "bot_paused_until",
    "pause_cause",
    "stopped_at",
    "started_at",
    "attribution",
    "identity_conflict",
    "send_after",
    "pair_rate_hits",
)
"""Fields of both contacts that a join changes, and that its undo brings back."""

_IDS: Final = ("user_id", "wa_id")


@dataclass(frozen=True, slots=True)
class ContactPair:
    """Two contacts that are joined: `kept` stays, and gets what `joined` has."""

    kept: WhatsAppContact
    joined: WhatsAppContact


def lock_pair(kept_id: int, joined_id: int, *, across_numbers: bool = False) -> ContactPair:
    """Lock two contacts in ascending order of their ids.

    Args:
        kept_id: the contact that stays.
        joined_id: the contact whose things move.
        across_numbers: whether they may belong to two business numbers, of which the one of the
            kept contact replaces the other.

    Raises:
        SameContact: it is one contact.
        OtherBusinessNumber: they belong to two business numbers.
        ContactAlreadyJoined: one of them was joined before.
        WhatsAppContact.DoesNotExist: one of them does not exist.

    """
    if kept_id == joined_id:
        raise SameContact
    locked = _lock_contacts({kept_id, joined_id})
    if len(locked) != 2:  # noqa: PLR2004 - both of them
        raise WhatsAppContact.DoesNotExist
    pair = ContactPair(locked[kept_id], locked[joined_id])
    if not across_numbers and pair.kept.phone_number_id != pair.joined.phone_number_id:
        raise OtherBusinessNumber
    if pair.kept.joined_into_id is not None or pair.joined.joined_into_id is not None:
        raise ContactAlreadyJoined
    return pair


def join_pair(
    pair: ContactPair,
    *,
    moved: Mapping[str, Collection[int]],
    order_count: int,
    current_id: int | None,
    by: str,
    now: datetime,
) -> ContactJoin:
    """Move messages and ids of the joined contact to the kept one, and record it.

    The conversation of whoever wrote last goes on, and so do their ids, unless WhatsApp announced
    others. The other user id stays as an earlier one. If either is blocked, both are.

    Args:
        pair: the contacts, locked by the caller.
        moved: ids of other rows that the caller moved, by kind.
        order_count: how many orders both have together.
        current_id: the contact with the ids that WhatsApp announced; None if it announced none.
        by: the name of who joined them.
        now: the current time.

    """
    kept, joined = pair.kept, pair.joined
    before = {"kept": _take_snapshot(kept), "joined": _take_snapshot(joined)}
    message_count = InboundMessage.objects.filter(contact__in=[kept, joined]).count()
    moved_messages = {
        "inbound": _move_rows(InboundMessage.objects.filter(contact=joined), to=kept),
        "outbound": _move_rows(OutboundMessage.objects.filter(contact=joined), to=kept),
        "aliases": _move_rows(ContactAlias.objects.filter(contact=joined), to=kept),
    }
    _merge_fields(pair, current_id=current_id)
    return ContactJoin.objects.create(
        kept=kept,
        joined=joined,
        before=before,
        moved=moved_messages | {kind: sorted(ids) for kind, ids in moved.items()},
        message_count=message_count,
        order_count=order_count,
        at=now,
        by=by[:150],
    )


def lock_join(join_id: int) -> ContactJoin:
    """Lock the contacts of a join that is to be undone, and return it with them.

    Raises:
        JoinAlreadyUndone: it was undone before.
        ContactJoin.DoesNotExist: there is no such join.

    """
    join = ContactJoin.objects.get(pk=join_id)
    contacts = _lock_contacts({join.kept_id, join.joined_id})
    join.refresh_from_db()
    if join.undone_at is not None:
        raise JoinAlreadyUndone(by=join.undone_by, at=join.undone_at)
    join.kept, join.joined = contacts[join.kept_id], contacts[join.joined_id]
    return join


def undo_join(join: ContactJoin, *, about: Collection[str], by: str, now: datetime) -> None:
    """Restore the ids, conversation and messages of a joined contact.

    If somebody blocked or unblocked them since, that stays so for the kept contact. What changed
    since about a wait for a person, a pause of the bot or STOP stays so for both.

    Args:
        join: the join, with its contacts locked by `lock_join`, and checked by `is_undoable`.
        about: the codes of the orders that go back; later messages about them go with them.
        by: the name of who undoes it.
        now: the current time.

    """
    kept, joined, moved = join.kept, join.joined, join.moved
    was_blocked = join.before["kept"]["is_blocked"] or join.before["joined"]["is_blocked"]
    blocked_since = None if kept.is_blocked == was_blocked else kept.is_blocked
    _move_rows(InboundMessage.objects.filter(pk__in=moved["inbound"]), to=joined)
    _move_rows(OutboundMessage.objects.filter(pk__in=moved["outbound"]), to=joined)
    later = OutboundMessage.objects.filter(contact=kept, about__in=about, created_at__gte=join.at)
    _move_rows(later, to=joined)
    _move_rows(ContactAlias.objects.filter(pk__in=moved["aliases"]), to=joined)
    handover_changes = _list_handover_changes(join)
    _restore_fields(join)
    if handover_changes:
        WhatsAppContact.objects.filter(pk__in=(kept.pk, joined.pk)).update(**handover_changes)
    if blocked_since is not None:
        WhatsAppContact.objects.filter(pk=kept.pk).update(is_blocked=blocked_since)
    ContactJoin.objects.filter(pk=join.pk).update(undone_at=now, undone_by=by[:150])


def is_undoable(join: ContactJoin, *, order_count: int) -> bool:
    """Return whether neither contact wrote, ordered or was joined again, and the ids are free.

    Args:
        join: the join.
        order_count: how many orders both have together now.

    """
    both = (join.kept_id, join.joined_id)
    if join.undone_at is not None or join.order_count != order_count:
        return False
    if InboundMessage.objects.filter(contact__in=both).count() != join.message_count:
        return False
    later = ContactJoin.objects.filter(undone_at=None, pk__gt=join.pk)
    if later.filter(Q(kept__in=both) | Q(joined__in=both)).exists():
        return False
    return not _list_lost_ids(join)


def find_last_join(contact: WhatsAppContact) -> ContactJoin | None:
    """Return the newest join into or of a contact that is not undone; None without one."""
    joins = ContactJoin.objects.filter(Q(kept=contact) | Q(joined=contact), undone_at=None)
    return joins.select_related("kept", "joined").order_by("-pk").first()


def _lock_contacts(ids: Collection[int]) -> dict[int, WhatsAppContact]:
    rows = WhatsAppContact.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {contact.pk: contact for contact in rows}


def _move_rows(rows: QuerySet[Any], *, to: WhatsAppContact) -> list[int]:
    """Lock rows in ascending order and give them to a contact; return their ids."""
    locked = rows.select_for_update(no_key=True).order_by("pk")
    ids = list(locked.values_list("pk", flat=True))
    for start in range(0, len(ids), _ROWS_PER_STATEMENT):
        chunk = ids[start : start + _ROWS_PER_STATEMENT]
        rows.filter(pk__in=chunk).update(contact=to)
    return ids


_ROWS_PER_STATEMENT: Final = 500


def _take_snapshot(contact: WhatsAppContact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in _FIELDS}


def _merge_fields(pair: ContactPair, *, current_id: int | None) -> None:
    kept, joined = pair.kept, pair.joined
    replaced = kept.phone_number_id != joined.phone_number_id
    joined_is_later = not replaced and _wrote_later(joined, kept)
    later, earlier = (joined, kept) if joined_is_later else (kept, joined)
    merged = {
        name: getattr(later, name) or getattr(earlier, name)
        for name in (*_IDS, "parent_user_id", "profile_name", "username")
    }
    current = {kept.pk: kept, joined.pk: joined}.get(current_id) if current_id else None
    if current is not None and current.wa_id is not None:
        # With a new phone number comes a new user id; the next message brings it.
        merged |= {name: getattr(current, name) for name in _IDS}
    elif current is not None:
        merged["user_id"] = current.user_id
    former_user_ids = {contact.user_id for contact in (kept, joined)} - {None, merged["user_id"]}
    merged |= {
        "state": later.state,
        "context": later.context,
        "last_inbound_at": later.last_inbound_at,
        "is_blocked": kept.is_blocked or joined.is_blocked,
        "adult_confirmed_at": _choose_first(kept.adult_confirmed_at, joined.adult_confirmed_at),
        **_merge_handovers(_take_snapshot(kept), _take_snapshot(joined)),
        "attribution": later.attribution,
        "identity_conflict": False,
        "send_after": max(filter(None, (kept.send_after, joined.send_after)), default=None),
        "pair_rate_hits": max(kept.pair_rate_hits, joined.pair_rate_hits),
    }
    WhatsAppContact.objects.filter(pk=joined.pk).update(
        user_id=None, wa_id=None, joined_into=kept, identity_conflict=False
    )
    WhatsAppContact.objects.filter(pk=kept.pk).update(**merged)
    ContactAlias.objects.bulk_create(
        ContactAlias(phone_number_id=kept.phone_number_id, user_id=user_id, contact=kept)
        for user_id in sorted(filter(None, former_user_ids))
    )


def _merge_handovers(kept: Mapping[str, Any], joined: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `HANDOVER_FIELDS` for both contacts together."""
    both = {name: (kept.get(name), joined.get(name)) for name in HANDOVER_FIELDS}
    return {
        "wants_person_at": _choose_first(*both["wants_person_at"]),
        "bot_paused_until": (paused_until := _choose_last(*both["bot_paused_until"])),
        "pause_cause": both["pause_cause"][both["bot_paused_until"].index(paused_until)],
        "stopped_at": _choose_first(*both["stopped_at"]),
        "started_at": _choose_last(*both["started_at"]),
    }


def _list_handover_changes(join: ContactJoin) -> dict[str, Any]:
    """Return the columns of `HANDOVER_FIELDS` that changed since a join: a person answered …"""
    before = [_parse_snapshot(join.before[one]) for one in ("kept", "joined")]
    merged = _merge_handovers(*before)
    now = {name: getattr(join.kept, name) for name in HANDOVER_FIELDS}
    return {
        name: value
        for name, value in now.items()
        if _round_moment(value) != _round_moment(merged[name])
    }


def _round_moment(value: Any) -> Any:
    """Return a moment to the millisecond, as snapshots have it; anything else as it is."""
    if not isinstance(value, datetime):
        return value
    return value.replace(microsecond=value.microsecond // 1_000 * 1_000)


def _choose_last(*moments: datetime | None) -> datetime | None:
    return max(filter(None, moments), default=None)


def _choose_first(*moments: datetime | None) -> datetime | None:
    return min(filter(None, moments), default=None)


def _wrote_later(contact: WhatsAppContact, other: WhatsAppContact) -> bool:
    if contact.last_inbound_at is None:
        return False
    return other.last_inbound_at is None or contact.last_inbound_at > other.last_inbound_at


def _restore_fields(join: ContactJoin) -> None:
    before = join.before
    former = {before[one]["user_id"] for one in ("kept", "joined")} - {None}
    ContactAlias.objects.filter(
        contact=join.kept, user_id__in=former, phone_number_id=join.kept.phone_number_id
    ).delete()
    # The ids of the kept contact are freed first, since the joined one may have brought them.
    _update_contact(join.kept, before["kept"], joined_into=join.kept.joined_into_id)
    _update_contact(join.joined, before["joined"], joined_into=None)


def _update_contact(
    contact: WhatsAppContact, values: Mapping[str, Any], *, joined_into: int | None
) -> None:
    restored = _parse_snapshot(values)
    WhatsAppContact.objects.filter(pk=contact.pk).update(**restored, joined_into=joined_into)


def _parse_snapshot(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a snapshot that was stored as JSON."""
    fields = {field.name: field for field in WhatsAppContact._meta.concrete_fields}  # noqa: SLF001 - documented by Django
    return {
        name: fields[name].to_python(values[name])
        for name in _FIELDS
        if name in values  # a join of an earlier version may lack a newer field
    }


def _list_lost_ids(join: ContactJoin) -> list[str]:
    """Return the ids from before the join that another contact has by now."""
    rows = WhatsAppContact.objects.filter(phone_number_id=join.kept.phone_number_id)
    others = rows.exclude(pk__in=(join.kept_id, join.joined_id))
    return [
        values[name]
        for values in (join.before["kept"], join.before["joined"])
        for name in _IDS
        if values[name] is not None and others.filter(**{name: values[name]}).exists()
    ]
