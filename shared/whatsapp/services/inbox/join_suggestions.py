"""Suggestions to join two contacts that may be the same person; only a person joins them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from django.db.models import Q

from shared.core.statements.bulk_insert import insert_new_rows
from shared.whatsapp.models import JoinSuggestion, WhatsAppContact
from shared.whatsapp.services import alarms
from shared.whatsapp.services.inbox.contact_matching import ConflictReason, ContactConflict


def suggest_joins(conflicts: Iterable[ContactConflict], *, now: datetime) -> None:
    """Suggest to join the contacts of conflicts, once for each pair, with an alarm.

    Args:
        conflicts: pairs of contacts, which are stored.
        now: the current time.

    """
    pairs = [
        (_sort_pair(conflict.known.stored_id, conflict.other.stored_id), conflict)
        for conflict in conflicts
    ]
    suggest_pairs(
        {pair: conflict.reason for pair, conflict in pairs},
        current_ids={
            pair: conflict.current.stored_id for pair, conflict in pairs if conflict.current
        },
        now=now,
    )


def suggest_pairs(
    reasons: Mapping[tuple[int, int], ConflictReason],
    *,
    current_ids: Mapping[tuple[int, int], int] = MappingProxyType({}),
    now: datetime,
) -> None:
    """Suggest to join pairs of contacts.

    Args:
        reasons: the reason for each pair, whose first contact is the one with the smaller id.
        current_ids: for pairs about which WhatsApp announced new ids, the contact that has them.
        now: the current time.

    """
    if not reasons:
        return
    known = JoinSuggestion.objects.filter(first__in={first for first, _ in reasons})
    new = sorted(reasons.keys() - set(known.values_list("first_id", "second_id")))
    insert_new_rows(
        JoinSuggestion,
        [
            {
                "first_id": first,
                "second_id": second,
                "current_id": current_ids.get((first, second)),
                "reason": reasons[first, second].value,
                "found_at": now,
                "settled_by": "",
            }
            for first, second in new
        ],
        unique=["first_id", "second_id"],
    )
    numbers = dict(
        WhatsAppContact.objects.filter(pk__in=[first for first, _ in new]).values_list(
            "pk", "phone_number_id"
        )
    )
    for first, second in new:
        alarms.sound_alarm(
            f"same_person:{first}:{second}",
            title="Two contacts may be the same person",
            detail=f"Contacts {first} and {second}: {reasons[first, second]} Nothing was changed.",
            phone_number_id=numbers[first],
            now=now,
        )


def list_open_suggestions(contact_id: int) -> Sequence[JoinSuggestion]:
    """Return the suggestions about a contact that nobody has settled, the newest first.

    Those about a contact that was joined into another one are left out.
    """
    about = JoinSuggestion.objects.filter(Q(first=contact_id) | Q(second=contact_id))
    open_suggestions = about.filter(
        settled_at=None, first__joined_into=None, second__joined_into=None
    )
    return list(open_suggestions.select_related("first", "second"))


def find_current_contact(contact_id: int, other_id: int) -> int | None:
    """Return which of two contacts has the ids that WhatsApp announced; None if it did not."""
    first, second = _sort_pair(contact_id, other_id)
    suggested = JoinSuggestion.objects.filter(first=first, second=second)
    return suggested.values_list("current_id", flat=True).first()


def settle_suggestion(contact_id: int, other_id: int, *, by: str, now: datetime) -> bool:
    """Settle the suggestion about two contacts, and resolve its alarm.

    Args:
        contact_id: one of the contacts.
        other_id: the other one.
        by: the name of the person who joined them, or said that they are two.
        now: the current time.

    Returns:
        Whether there was an open suggestion.

    """
    first, second = _sort_pair(contact_id, other_id)
    open_suggestion = JoinSuggestion.objects.filter(first=first, second=second, settled_at=None)
    settled = open_suggestion.update(settled_at=now, settled_by=by[:150])
    alarms.resolve_alarm(f"same_person:{first}:{second}", by=by, now=now)
    return bool(settled)


def _sort_pair(one: int, other: int) -> tuple[int, int]:
    return (min(one, other), max(one, other))
