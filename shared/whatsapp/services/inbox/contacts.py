"""The buyers: found for what comes in, made when they are new, locked when answered."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from shared.core.bulk_insert import insert_new_rows
from shared.whatsapp.models import ContactAlias, WhatsAppContact
from shared.whatsapp.services.inbox.contact_matching import KnownContact, Sender, match_contacts


def lock_contact(contact_id: int) -> WhatsAppContact:
    """Lock a contact until the transaction ends; everything about a buyer begins with this.

    Without the key lock, so that messages which refer to the contact can be stored meanwhile.
    """
    return WhatsAppContact.objects.select_for_update(no_key=True).get(pk=contact_id)


def block_contact(contact_id: int) -> bool:
    """Answer a buyer no more; `conversation.inbound` says what that means for what they send.

    Returns:
        Whether that is new: False if they were blocked already.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    return _set_blocked(contact_id, blocked=True)


def unblock_contact(contact_id: int) -> bool:
    """Answer a buyer again from their next message on.

    Returns:
        Whether that is new: False if they were not blocked.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    return _set_blocked(contact_id, blocked=False)


def find_or_create_contacts(senders: Sequence[Sender], *, now: datetime) -> list[int | None]:
    """Find the contact of each sender, and make those that are new, in few statements.

    Returns:
        Their ids in the order of `senders`; None for one who has no key at all.

    Raises:
        IntegrityError: another process made the same contact first; the transaction is spoilt,
            and the same call in a new one will find it.

    """
    matches = match_contacts(senders)
    save_contacts(matches.changed, now=now)
    return [None if known is None else known.id for known in matches.contacts]


def save_contacts(changed: Sequence[KnownContact], *, now: datetime) -> None:
    """Write what `resolve` decided.

    Args:
        changed: contacts to make or to change.
        now: when.

    Raises:
        IntegrityError: another process was faster; see `find_or_create`.

    """
    if not changed:
        return
    # Changes first: a phone may go from one contact to a new one.
    for one in sorted((one for one in changed if one.changes and one.id), key=_build_sort_key):
        WhatsAppContact.objects.filter(pk=one.stored_id).update(**one.changes)
    _create_contacts(
        sorted((one for one in changed if one.id is None), key=_build_sort_key), now=now
    )
    aliases = {
        (one.phone_number_id, alias): one.stored_id for one in changed for alias in one.new_aliases
    }
    insert_new_rows(
        ContactAlias,
        [
            {"phone_number_id": number, "user_id": alias, "contact_id": contact_id}
            for (number, alias), contact_id in sorted(aliases.items())
        ],
        unique=["phone_number_id", "user_id"],
    )
    _update_names([one for one in changed if one.names])


@transaction.atomic(durable=True)
def _set_blocked(contact_id: int, *, blocked: bool) -> bool:
    contact = lock_contact(contact_id)
    if contact.is_blocked == blocked:
        return False
    contact.is_blocked = blocked
    contact.save(update_fields=["is_blocked"])
    return True


def _create_contacts(new: Sequence[KnownContact], *, now: datetime) -> None:
    if not new:
        return
    made = WhatsAppContact.objects.bulk_create(
        WhatsAppContact(
            phone_number_id=one.phone_number_id,
            user_id=one.user_id,
            wa_id=one.wa_id,
            parent_user_id=one.parent_user_id,
            profile_name=one.profile_name,
            username=one.username,
            identity_conflict=one.identity_conflict,
            created_at=now,
        )
        for one in new
    )
    for one, contact in zip(new, made, strict=True):
        one.id = contact.pk
        one.changes.clear()
        one.names.clear()


def _update_names(known: Sequence[KnownContact]) -> None:
    """Write new names, but wait for nobody: their next message brings them again."""
    wanted = {one.stored_id: one.names for one in known}
    if not wanted:
        return
    free = WhatsAppContact.objects.select_for_update(skip_locked=True, no_key=True)
    for pk in free.filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True):
        WhatsAppContact.objects.filter(pk=pk).update(**wanted[pk])


def _build_sort_key(one: KnownContact) -> tuple[str, str, str]:
    return (one.phone_number_id, one.user_id or "", one.wa_id or "")
