"""Lookups: what a few answers need beyond the facts about their buyer, read when it is asked for.

Several lookups share what they read of a raffle, so many buyers who ask who won cost little more
than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from shared.conversation.conversation_events import (
    FreeNumbersFound,
    LookupOutcome,
    NumberFound,
    NumbersChecked,
    RaffleFound,
    ResultsFound,
    RulesFound,
)
from shared.conversation.facts import draws
from shared.conversation.facts.draw_values import DrawFacts
from shared.conversation.number_lookups import check_numbers, find_free_numbers
from shared.conversation.values import (
    CheckNumbers,
    Lookup,
    LookUpFreeNumbers,
    LookUpNumber,
    LookUpRaffle,
    LookUpResults,
    LookUpRules,
)
from shared.raffles.models import Raffle
from shared.raffles.services.draws import draw_rules
from shared.whatsapp.models import WhatsAppContact


def look_up_all(
    lookups: Sequence[tuple[Lookup, WhatsAppContact, int]], *, now: datetime
) -> list[LookupOutcome]:
    """Return the outcomes of lookups in their order.

    Args:
        lookups: each with its buyer, and with a random integer from 0 to 2^31-1 (`pivot`).
        now: the current time.

    """
    reader = _Reader(now)
    return [
        reader.look_up(lookup, contact.phone_number_id, pivot=pivot)
        for lookup, contact, pivot in lookups
    ]


@dataclass(slots=True)
class _Reader:
    """Reads what lookups need, each raffle once."""

    now: datetime
    raffles: dict[tuple[int, str], Raffle | None] = field(default_factory=dict)
    latest: dict[str, list[Raffle]] = field(default_factory=dict)
    draws: dict[int, DrawFacts] = field(default_factory=dict)
    rules: dict[int, RulesFound] = field(default_factory=dict)

    def look_up(self, lookup: Lookup, phone_number_id: str, *, pivot: int) -> LookupOutcome:
        """Return the outcome of a lookup for a buyer of a business number."""
        match lookup:
            case LookUpRules(raffle_id):
                raffle = self._load_raffle(raffle_id, phone_number_id)
                return RulesFound(None) if raffle is None else self._load_rules(raffle)
            case LookUpResults(raffle_ids):
                named = [self._load_raffle(each, phone_number_id) for each in raffle_ids]
                found = [raffle for raffle in named if raffle is not None]
                return ResultsFound(
                    tuple(map(self._load_draw, found or self._list_latest(phone_number_id)))
                )
            case LookUpNumber(raffle_id, number):
                return self._find_number(raffle_id, number, phone_number_id)
            case LookUpRaffle(raffle_id):
                raffle = self._load_raffle(raffle_id, phone_number_id)
                return RaffleFound(
                    None if raffle is None else draws.load_raffle_facts(raffle, now=self.now)
                )
            case LookUpFreeNumbers():
                return self._find_free_numbers(lookup, phone_number_id, pivot=pivot)
            case CheckNumbers():
                return self._check_numbers(lookup, phone_number_id)
            case _:
                assert_never(lookup)

    def _find_number(self, raffle_id: int | None, number: int, phone_number_id: str) -> NumberFound:
        raffle = (
            self._load_raffle(raffle_id, phone_number_id)
            if raffle_id is not None
            else next(iter(self._list_latest(phone_number_id)), None)
        )
        if raffle is None:
            return NumberFound(None)
        return NumberFound(draws.load_number(raffle, number, draw=self._load_draw(raffle)))

    def _find_free_numbers(
        self, lookup: LookUpFreeNumbers, phone_number_id: str, *, pivot: int
    ) -> FreeNumbersFound:
        raffle = self._load_raffle(lookup.raffle_id, phone_number_id)
        if raffle is None:
            return FreeNumbersFound(None, lookup.pattern)
        known = draws.load_raffle_facts(raffle, now=self.now)
        return find_free_numbers(
            raffle, known, lookup.pattern, quantity=lookup.quantity, pivot=pivot
        )

    def _check_numbers(self, lookup: CheckNumbers, phone_number_id: str) -> NumbersChecked:
        raffle = self._load_raffle(lookup.raffle_id, phone_number_id)
        if raffle is None:
            return NumbersChecked(None)
        known = draws.load_raffle_facts(raffle, now=self.now)
        return check_numbers(raffle, known, lookup.numbers)

    def _load_raffle(self, raffle_id: int, phone_number_id: str) -> Raffle | None:
        place = (raffle_id, phone_number_id)
        if place not in self.raffles:
            found = draws.find_public_raffle(raffle_id, phone_number_id=phone_number_id)
            self.raffles[place] = found
        return self.raffles[place]

    def _list_latest(self, phone_number_id: str) -> list[Raffle]:
        if phone_number_id not in self.latest:
            self.latest[phone_number_id] = draws.list_latest_drawn_raffles(phone_number_id)
        return self.latest[phone_number_id]

    def _load_draw(self, raffle: Raffle) -> DrawFacts:
        if raffle.pk not in self.draws:
            self.draws[raffle.pk] = draws.load_draw(raffle, now=self.now)
        return self.draws[raffle.pk]

    def _load_rules(self, raffle: Raffle) -> RulesFound:
        if raffle.pk not in self.rules:
            known = draws.load_raffle_facts(raffle, now=self.now)
            is_open_question = draw_rules.need_rules(raffle.pk)
            text = "" if is_open_question else draw_rules.load_rule_text(raffle)
            self.rules[raffle.pk] = RulesFound(known, text, raffle.rules_url)
        return self.rules[raffle.pk]
