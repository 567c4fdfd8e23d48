"""Searches of the admin lists: by a message's buyer, and by words of a bounded number."""

import re
from typing import Final

from django.db.models import Q

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS
from shared.whatsapp.models import WhatsAppContact

MAX_CONTACTS_SEARCHED: Final = 200
"""Buyers whose messages are looked for; more only says that the words are too common."""


_NOT_PHONE_CHARACTERS: Final = re.compile(r"[^\d\s()+.-]")


def find_contact_ids(term: str) -> list[int]:
    """Find the newest contacts that `term` may mean, by their ids."""
    found = WhatsAppContact.objects.filter(build_contact_condition(term)).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:MAX_CONTACTS_SEARCHED])


def build_contact_condition(term: str) -> Q:
    """Return the condition: part of the phone, part of the name, or the whole user id."""
    if len(term) > MAX_SEARCH_CHARACTERS:
        return Q(pk__in=())
    named = Q(profile_name__icontains=term) | Q(username__icontains=term) | Q(user_id=term)
    digits = extract_phone_digits(term)
    return named | Q(wa_id__contains=digits) if digits else named


def extract_phone_digits(term: str) -> str:
    """Give the digits of what may be a phone number; nothing for a name."""
    return "" if _NOT_PHONE_CHARACTERS.search(term) else re.sub(r"\D", "", term)
