"""Contacts: locking, blocking, and creation and updates for incoming messages."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError, models, transaction

from shared.core.enums import InboxStatus
from shared.core.statements.bulk_insert import insert_new_rows
from shared.core.statements.compiled_queries import CompiledQuery, IsIn, Parameter
from shared.whatsapp.models import ContactAlias, InboundMessage, WhatsAppContact
from shared.whatsapp.sender_ids import ContactCards, read_sender
from shared.whatsapp.services.inbox import join_suggestions
from shared.whatsapp.services.inbox.contact_matching import KnownContact, Sender, match_contacts


def lock_contact(contact_id: int) -> WhatsAppContact:
    """Lock a contact until the transaction ends, before anything else about the buyer.

    The lock leaves the key free, so that messages which refer to the contact can be stored
    meanwhile. If the contact was joined into another one, that one is locked and returned. Messages
    that were stored for the joined contact at the same time move to it.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    found = _LOCKED_CONTACT.fetch(id=contact_id)
    if not found:
        raise WhatsAppContact.DoesNotExist(f"there is no contact {contact_id}")
    [contact] = found
    if contact.joined_into_id is None:
        return contact
    InboundMessage.objects.filter(contact=contact).update(contact=contact.joined_into_id)
    return lock_contact(contact.joined_into_id)


_LOCKED_CONTACT: Final = CompiledQuery(
    lambda: WhatsAppContact.objects.select_for_update(no_key=True).filter(
        pk=Parameter("id", models.BigIntegerField())
    )
)


def lock_free_contacts(contact_ids: Collection[int]) -> dict[int, WhatsAppContact]:
    """Lock several contacts that no other transaction has locked, without waiting.

    Returns:
        The contacts by id, as they are: also erased ones, and those joined into another one.

    """
    return {contact.pk: contact for contact in _FREE_CONTACTS.fetch(ids=contact_ids)}


_FREE_CONTACTS: Final = CompiledQuery(
    lambda: (
        WhatsAppContact.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(IsIn("id", "ids"))
        .order_by("id")
    )
)


def rehome_messages(contact: WhatsAppContact, *, now: datetime) -> None:
    """Move messages that were stored while their contact was erased to a new contact.

    Args:
        contact: an erased contact, locked.
        now: the current time.

    """
    waiting = InboundMessage.objects.filter(contact=contact, status=InboxStatus.RECEIVED)
    for message in waiting.order_by("pk"):
        named = read_sender(message.payload, cards=ContactCards.from_contacts([]))
        sender = Sender(phone_number_id=message.phone_number_id, **named)
        [message.contact_id] = find_or_create_contacts([sender], now=now)
        message.save(update_fields=["contact"])


def block_contact(contact_id: int) -> bool:
    """Stop answering a buyer; `conversation.answering` says what happens to their messages.

    Returns:
        Whether it changed anything: False if they were already blocked.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    return _set_blocked(contact_id, blocked=True)


def unblock_contact(contact_id: int) -> bool:
    """Answer a buyer again, from their next message on.

    Returns:
        Whether it changed anything: False if they were not blocked.

    Raises:
        WhatsAppContact.DoesNotExist: there is no such contact.

    """
    return _set_blocked(contact_id, blocked=False)


def find_or_create_contacts(senders: Sequence[Sender], *, now: datetime) -> list[int | None]:
    """Find the contact of each sender, and create new ones, in few statements.

    Returns:
        Their ids in the order of `senders`; None for a sender without any key, and for an
        announcement about somebody unknown.

    Raises:
        IntegrityError: another process created the same contact first. The transaction is
            broken; the same call in a new one finds the contact.

    """
    matches = match_contacts(senders)
    save_contacts(matches.changed, now=now)
    join_suggestions.suggest_joins(matches.conflicts, now=now)
    return [None if known is None else known.id for known in matches.contacts]


def save_contacts(changed: Sequence[KnownContact], *, now: datetime) -> None:
    """Write the contacts that `match_contacts` created or changed.

    Args:
        changed: the contacts to create or update.
        now: the current time.

    Raises:
        IntegrityError: another process was faster; see `find_or_create_contacts`. Or a contact
            was joined into another one, or erased, since it was matched.

    """
    if not changed:
        return
    # Updates first, since a phone number may move from one contact to a new one.
    for known in sorted(
        (known for known in changed if known.changes and known.id), key=_build_sort_key
    ):
        current = WhatsAppContact.objects.filter(
            pk=known.stored_id, joined_into=None, erased_at=None
        )
        if not current.update(**known.changes):
            raise IntegrityError(f"contact {known.stored_id} was joined or erased meanwhile")
    _create_contacts(
        sorted((known for known in changed if known.id is None), key=_build_sort_key), now=now
    )
    aliases = {
        (known.phone_number_id, alias): known.stored_id
        for known in changed
        for alias in known.new_aliases
    }
    insert_new_rows(
        ContactAlias,
        [
            {"phone_number_id": number, "user_id": alias, "contact_id": contact_id}
            for (number, alias), contact_id in sorted(aliases.items())
        ],
        unique=["phone_number_id", "user_id"],
    )
    _update_names([known for known in changed if known.names])


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
    created = WhatsAppContact.objects.bulk_create(
        WhatsAppContact(
            phone_number_id=known.phone_number_id,
            user_id=known.user_id,
            wa_id=known.wa_id,
            parent_user_id=known.parent_user_id,
            profile_name=known.profile_name,
            username=known.username,
            identity_conflict=known.identity_conflict,
            created_at=now,
        )
        for known in new
    )
    for known, contact in zip(new, created, strict=True):
        known.id = contact.pk
        known.changes.clear()
        known.names.clear()


def _update_names(renamed: Sequence[KnownContact]) -> None:
    """Write new names, but skip locked contacts; their next message has the name again."""
    names_by_id = {known.stored_id: known.names for known in renamed}
    if not names_by_id:
        return
    for pk in _UNLOCKED_CONTACTS.fetch(ids=names_by_id):
        WhatsAppContact.objects.filter(pk=pk).update(**names_by_id[pk])


_UNLOCKED_CONTACTS: Final = CompiledQuery(
    lambda: (
        WhatsAppContact.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(IsIn("id", "ids"), erased_at=None)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
)


def _build_sort_key(known: KnownContact) -> tuple[str, str, str]:
    return (known.phone_number_id, known.user_id or "", known.wa_id or "")
