"""Search for messages by their buyer without reading every message."""

import re
from typing import Final

from django.db.models import Q

from shared.whatsapp.models import WhatsAppContact

AT_MOST: Final = 200
"""Buyers whose messages are looked for; more only says that the words are too common."""

_NOT_A_PHONE: Final = re.compile(r"[^\d\s()+.-]")


def contacts(term: str) -> list[int]:
    """Find the newest contacts that `term` may mean, by their ids."""
    found = WhatsAppContact.objects.filter(wanted(term)).order_by("-pk")
    return list(found.values_list("pk", flat=True)[:AT_MOST])


def wanted(term: str) -> Q:
    """Give the condition: part of the phone, part of the name, or the whole user id."""
    named = Q(profile_name__icontains=term) | Q(username__icontains=term) | Q(user_id=term)
    digits = phone_digits(term)
    return named | Q(wa_id__contains=digits) if digits else named


def phone_digits(term: str) -> str:
    """Give the digits of what may be a phone number; nothing for a name."""
    return "" if _NOT_A_PHONE.search(term) else re.sub(r"\D", "", term)
