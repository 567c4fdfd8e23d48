"""Contact search for the admin lists."""

import re
from typing import Final

from django.db.models import Q

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS
from shared.whatsapp.models import WhatsAppContact

MAX_CONTACTS_SEARCHED: Final = 200
"""Maximum number of contacts whose messages a search includes."""

_NOT_PHONE_CHARACTERS: Final = re.compile(r"[^\d\s()+.-]")


def find_contact_ids(term: str) -> list[int]:
    """Return the ids of the newest contacts that match a search term."""
    contacts = WhatsAppContact.objects.filter(build_contact_condition(term)).order_by("-pk")
    return list(contacts.values_list("pk", flat=True)[:MAX_CONTACTS_SEARCHED])


def build_contact_condition(term: str) -> Q:
    """Return a condition on contacts: part of the phone number or name, or the whole user id."""
    if len(term) > MAX_SEARCH_CHARACTERS:
        return Q(pk__in=())
    condition = Q(profile_name__icontains=term) | Q(username__icontains=term) | Q(user_id=term)
    digits = extract_phone_digits(term)
    return condition | Q(wa_id__contains=digits) if digits else condition


def extract_phone_digits(term: str) -> str:
    """Return the digits of a possible phone number, in any notation; empty for a name."""
    return "" if _NOT_PHONE_CHARACTERS.search(term) else re.sub(r"\D", "", term)
