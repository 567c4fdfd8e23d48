"""Search for buyers by phone number as people dial it, by name or by user id."""

from collections.abc import Collection, Iterable
from functools import reduce
from operator import and_, or_
from typing import Final

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest

from backoffice.changelists.search import MAX_SEARCH_CHARACTERS
from shared.core import phone_spellings
from shared.core.search_text import fold_for_search
from shared.whatsapp.models import BusinessNumber, WhatsAppContact

MAX_SEARCH_MATCHES: Final = 1_000
"""Matching buyers whose rows a search returns; the newest ones, so that it stays fast."""

MAX_BUYERS_OF_MESSAGES: Final = 200
"""Matching buyers whose messages a search returns; each of them has many."""

_MIN_PHONE_DIGITS: Final = 3
_MAX_WORDS: Final = 6
_NOBODY: Final = Q(pk__in=())


def find_contact_ids(term: str, *, limit: int = MAX_SEARCH_MATCHES) -> list[int]:
    """Return the ids of the newest contacts that match a search term."""
    contacts = WhatsAppContact.objects.filter(build_contact_condition(term)).order_by("-pk")
    return list(contacts.values_list("pk", flat=True)[:limit])


def find_buyers_of_messages(request: HttpRequest, term: str) -> list[int]:
    """Return the ids of the newest matching contacts; tell the user if there may be more."""
    found = find_contact_ids(term, limit=MAX_BUYERS_OF_MESSAGES)
    if len(found) >= MAX_BUYERS_OF_MESSAGES:
        warn_about_many_matches(request, shown=MAX_BUYERS_OF_MESSAGES)
    return found


def warn_about_many_matches(request: HttpRequest, *, shown: int = MAX_SEARCH_MATCHES) -> None:
    """Tell the user of a list that a search shows the newest of very many matching buyers."""
    if request.method == "GET":
        messages.info(
            request,
            f"Very many buyers match; shown are the newest {shown:,}. "
            "Type a little more to find somebody else.",
        )


def build_contact_condition(term: str) -> Q:
    """Return a condition on contacts: a phone number or part of it, a name, or the user id.

    A phone number is found in every spelling, with the digits of any script; a name without
    accents and in any case, each of its words anywhere in the name or the username.
    """
    term = term.strip()
    if not term or len(term) > MAX_SEARCH_CHARACTERS:
        return _NOBODY
    phones = _list_phones(term)
    named = _build_words_condition(
        term, columns=("search_name", "search_username"), with_phone=not phones
    )
    return Q(user_id=term) | named | _build_phone_condition(phones)


def build_cash_buyer_condition(term: str) -> Q:
    """Return a condition on orders: the phone number or name typed in for a cash sale.

    What was typed there may lack its country code, so a number is found without it, too.
    """
    term = term.strip()
    if not term or len(term) > MAX_SEARCH_CHARACTERS:
        return _NOBODY
    phones = [*_list_phones(term), *phone_spellings.list_national_spellings(term)]
    named = _build_words_condition(term, columns=("search_name",), with_phone=not phones)
    return Q(contact__isnull=True) & (named | _build_phone_condition(phones))


def _list_phones(term: str) -> list[str]:
    spellings = phone_spellings.list_dialled_spellings(term)
    if not spellings:
        return []
    if len(spellings[0]) >= _MIN_DIALLED_DIGITS:  # a whole number, dialled by a country's rules
        spellings = phone_spellings.list_dialled_spellings(term, regions=_list_regions())
    return [spelling for spelling in spellings if len(spelling) >= _MIN_PHONE_DIGITS]


_MIN_DIALLED_DIGITS: Final = 7
"""Digits of the shortest phone numbers; fewer are a part of one."""


def _list_regions() -> set[str]:
    """Return the countries of the business numbers, whose buyers mostly live there."""
    shown = BusinessNumber.objects.exclude(display_phone_number="")
    numbers = shown.values_list("display_phone_number", flat=True)
    return set(filter(None, map(phone_spellings.find_region, numbers)))


def _build_words_condition(term: str, *, columns: Collection[str], with_phone: bool) -> Q:
    """Return the condition that each word is in one of the columns."""
    words = fold_for_search(term).split()[:_MAX_WORDS]
    if not words:
        return _NOBODY
    conditions = []
    for word in words:
        places = [Q(**{f"{column}__contains": word}) for column in columns]
        if with_phone and word.isdecimal() and len(word) > _MIN_PHONE_DIGITS:
            places.append(Q(search_phone__contains=word))  # "Ana 7788": a name and a phone's end
        conditions.append(reduce(or_, places))
    return reduce(and_, conditions)


def _build_phone_condition(spellings: Iterable[str]) -> Q:
    return reduce(or_, (Q(search_phone__contains=spelling) for spelling in spellings), _NOBODY)
