"""User ids of buyers, learnt from the status webhooks of messages to them.

Source: Meta's page "Business-scoped user ids".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from shared.core import logs
from shared.core.statements.compiled_queries import CompiledQuery, IsIn
from shared.whatsapp.json_reader import read_string
from shared.whatsapp.models import ContactAlias, WhatsAppContact
from shared.whatsapp.sender_ids import parse_person_id
from shared.whatsapp.services.inbox import join_suggestions
from shared.whatsapp.services.inbox.contact_matching import ConflictReason

_USER_IDS: Final = CompiledQuery(
    lambda: (
        WhatsAppContact.objects.filter(IsIn("id", "contacts"))
        .order_by()
        .values_list("pk", "user_id")
    )
)

_log = logs.get_logger(__name__)


def find_new_user_ids(recipients: Iterable[tuple[int, Mapping[str, Any]]]) -> Mapping[int, str]:
    """Return the user ids in statuses that differ from those of the contacts, by contact.

    Args:
        recipients: contacts to whom messages were sent, each with a status of its message as Meta
            sent it.

    """
    named = {
        contact_id: user_id
        for contact_id, payload in recipients
        if (user_id := _read_recipient_user_id(payload)) is not None
    }
    if not named:
        return {}
    known = _USER_IDS.fetch(contacts=named)
    return {pk: named[pk] for pk, user_id in known if user_id != named[pk]}


def learn_user_id(contact: WhatsAppContact, user_id: str, *, now: datetime) -> None:
    """Set the user id of a contact without one, as a status webhook names it.

    A user id that belongs to another contact, or differs from the contact's own, flags a conflict
    and changes nothing else, since phone numbers are recycled.

    Args:
        contact: the contact to whom the message was sent, locked by the caller.
        user_id: the user id under which it was sent or delivered.
        now: the current time.

    """
    owner_id = _find_owner(contact.phone_number_id, user_id)
    if owner_id == contact.pk or contact.erased_at is not None:
        return
    if owner_id is None and contact.user_id is None:
        try:
            with transaction.atomic():
                WhatsAppContact.objects.filter(pk=contact.pk).update(user_id=user_id)
        except IntegrityError:  # somebody wrote with it at this moment; the next status tells
            _log.info("user_id_taken_meanwhile", contact_id=contact.pk)
        return
    pair = {contact.pk} | ({owner_id} if owner_id is not None else set())
    WhatsAppContact.objects.filter(pk__in=pair, identity_conflict=False).update(
        identity_conflict=True
    )
    if owner_id is not None:
        first, second = sorted(pair)
        join_suggestions.suggest_pairs({(first, second): ConflictReason.DELIVERY}, now=now)


def _read_recipient_user_id(status: Mapping[str, Any]) -> str | None:
    if read_string(status, "recipient_type") == "group":
        return None
    return parse_person_id(read_string(status, "recipient_user_id"))


def _find_owner(phone_number_id: str, user_id: str) -> int | None:
    """Return the contact with this user id, or with this earlier user id."""
    current = WhatsAppContact.objects.filter(phone_number_id=phone_number_id, user_id=user_id)
    earlier = ContactAlias.objects.filter(phone_number_id=phone_number_id, user_id=user_id)
    owner_id = current.values_list("pk", flat=True).first()
    return owner_id or earlier.values_list("contact_id", flat=True).first()
