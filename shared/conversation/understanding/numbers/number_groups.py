"""Groups of numbers in a text: what stands together, and how it is written."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.conversation.understanding.numbers.number_list import NumberList, parse_number_list
from shared.conversation.understanding.phrases import Phrase, PhraseList
from shared.conversation.understanding.text_readings import NumberGroup
from shared.conversation.understanding.tokens import Token, TokenKind, are_adjacent
from shared.conversation.understanding.vocabulary import WordRole, load_vocabulary

RANGE_WORDS: Final = frozenset({"to", "through", "till", "until"})
RANGE_OPENINGS: Final = frozenset({"from", "between"})
JOINING_WORDS: Final = frozenset({"and", "n", "plus", "an"})
COUNTING_WORDS: Final = frozenset({"dozen", "couple", "pair", "trio"})
"""Words of amounts that are quantities by themselves: "half a dozen"."""

NAMING_WORDS: Final = frozenset({"number", "nr", "num", "lucky"})
KEPT_WORDS: Final = frozenset({"for", "of"})
"""Words between two numbers that make their meaning unclear: "3 for 2", "2 of 10"."""

_DECIMAL: Final = re.compile(r"\d{1,12}(?:[.,]\d{1,2})?")
_WITH_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[.,]\d{3}){1,3}(?:[.,]\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money in a text, with the tokens that it is made of."""

    value: Decimal
    first_token: int
    last_token: int


def find_money(found: PhraseList) -> list[Money]:
    """Return the amounts of money: "$20", "20 dollars", "R$ 15.00"."""
    tokens = found.tokens
    names = load_vocabulary().currencies
    currency = {
        index
        for index, token in enumerate(tokens)
        if token.kind is TokenKind.WORD and token.text in names
    }
    amounts: list[Money] = []
    place = 0
    while place < len(tokens):
        if tokens[place].kind is not TokenKind.NUMBER:
            place += 1
            continue
        last = _find_decimal_end(tokens, place)
        before, after = place - 1, last
        if after < len(tokens) and tokens[after].kind is TokenKind.BREAK:
            after += 1  # "20" and "dollars" in two messages
        has_sign = (before >= 0 and _is_currency_sign(tokens[before])) or (
            after < len(tokens) and (_is_currency_sign(tokens[after]) or after in currency)
        )
        value = parse_decimal("".join(token.text for token in tokens[place:last]))
        if has_sign and value is not None:
            first = before if before >= 0 and _is_currency_sign(tokens[before]) else place
            end = last
            if after < len(tokens) and (_is_currency_sign(tokens[after]) or after in currency):
                end = after + 1
            is_negative = first > 0 and unicodedata.category(tokens[first - 1].text[0]) in {
                "Pd",
                "Sm",
            }
            if not is_negative:
                amounts.append(Money(value, first, end))
        place = last
    return amounts


def _find_decimal_end(tokens: Sequence[Token], place: int) -> int:
    """Return the index after a number with its separators: 15 . 00."""
    last = place + 1
    while (
        last + 1 < len(tokens)
        and tokens[last].text in {".", ","}
        and tokens[last + 1].kind is TokenKind.NUMBER
        and are_adjacent(tokens[last - 1], tokens[last])
        and are_adjacent(tokens[last], tokens[last + 1])
    ):
        last += 2
    return last


def _is_currency_sign(token: Token) -> bool:
    return token.kind is TokenKind.SIGN and unicodedata.category(token.text) == "Sc"


def parse_decimal(number: str) -> Decimal | None:
    """Return a number with cents and thousands separators in either style, or None."""
    if _DECIMAL.fullmatch(number):
        return Decimal(number.replace(",", "."))
    if _WITH_THOUSANDS.fullmatch(number):
        whole, _, cents = number.rpartition(number[-3]) if number[-3] in ".," else (number, "", "0")
        return Decimal(f"{whole.replace('.', '').replace(',', '')}.{cents}")
    return None


def read_number_group(
    found: PhraseList, phrases: Sequence[Phrase], *, last_number: int | None, is_random: bool
) -> NumberGroup | None:
    """Return the numbers of phrases that stand together, or None with one too long.

    Args:
        found: the text.
        phrases: the phrases from the first amount to the last, with what counts or names it.
        last_number: the last ticket number of the raffle; None: unknown.
        is_random: whether random numbers are asked for somewhere in the text.

    """
    amounts = [phrase for phrase in phrases if phrase.amount is not None]
    rendered = _render(found, phrases)
    numbers = parse_number_list(rendered, last_number=last_number)
    if numbers is None:
        return None
    single = amounts[0] if len(amounts) == 1 else None
    counts_by_words = any(
        not COUNTING_WORDS.isdisjoint(found.get_text(amount).split()) for amount in amounts
    )
    is_named = is_random and single is not None and _is_named(found, single)
    return NumberGroup(
        numbers.values,
        is_marked=numbers.is_marked,
        is_single=numbers.is_single,
        is_counted=single is not None and (_is_counted(phrases) or counts_by_words),
        is_in_words=single is not None and single.is_in_words,
        is_plain=numbers.is_plain,
        is_doubtful=numbers.is_doubtful or (single is None and counts_by_words),
        is_unclear=numbers.is_unclear,
        may_be_named=not numbers.is_marked and _may_be_named(found, phrases, numbers),
        is_lucky=is_named and not _is_counted(phrases),
        last=_get_written_value(amounts[-1]),
        text=found.words[single.first].text
        if single is not None and not single.is_in_words
        else "",
    )


def _get_written_value(amount: Phrase) -> int:
    assert amount.amount is not None  # noqa: S101 - it was found by its amount
    return amount.amount


def _is_counted(phrases: Sequence[Phrase]) -> bool:
    """Return whether a noun or "random" after the amount makes it a quantity."""
    place = next(index for index, phrase in enumerate(phrases) if phrase.amount is not None)
    return any(WordRole.MANY in phrase.roles for phrase in phrases[place + 1 : place + 3])


def _is_named(found: PhraseList, amount: Phrase) -> bool:
    """Return whether the word before an amount may name a number: "lucky 13"."""
    return amount.first > 0 and found.words[amount.first - 1].text in NAMING_WORDS


def _may_be_named(found: PhraseList, phrases: Sequence[Phrase], numbers: NumberList) -> bool:
    """Return whether "no" right before the only number may abbreviate "number"."""
    if not numbers.is_single:
        return False
    place = next(index for index, phrase in enumerate(phrases) if phrase.amount is not None)
    return place > 0 and found.get_text(phrases[place - 1]) == "no"


def _render(found: PhraseList, phrases: Sequence[Phrase]) -> str:
    """Return the phrases as digits, signs and the few words that matter between numbers."""
    first, last = found.get_tokens(phrases[0])[0], found.get_tokens(phrases[-1])[1]
    first, last = _include_signs(found.tokens, first, last)
    words = _choose_words(found, phrases)
    rendered = ""
    for index in range(first, last):
        token = found.tokens[index]
        if rendered and not are_adjacent(found.tokens[index - 1], token):
            rendered += " "
        if token.kind is TokenKind.WORD:
            rendered += words.get(index, "," if _touches_dash(found.tokens, index) else "")
        elif token.kind is TokenKind.BREAK:
            continues = words.get(index + 1) in RANGE_WORDS
            rendered += " " if continues else "; "
        else:
            rendered += token.text
    return " ".join(rendered.split())


def _touches_dash(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a dash or dots beside a word seem to make a range: "5 please..7"."""
    beside = tokens[max(0, index - 1) : index + 2]
    return any(
        token.kind is TokenKind.SIGN
        and (token.text in {".", "…"} or unicodedata.category(token.text[0]) == "Pd")
        for token in beside
    )


def _include_signs(tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    """Return the range with the signs before and after it."""
    while first > 0 and tokens[first - 1].kind is TokenKind.SIGN:
        first -= 1
    while last < len(tokens) and tokens[last].kind is TokenKind.SIGN:
        last += 1
    return first, last


def _choose_words(found: PhraseList, phrases: Sequence[Phrase]) -> dict[int, str]:
    """Return by token what is written for each word; nothing for those that do not matter."""
    written: dict[int, str] = {}
    for phrase in phrases:
        first, last = found.get_tokens(phrase)
        if phrase.amount is not None:
            if phrase.is_in_words:  # "5five" is no 55
                is_glued = _is_glued(found.tokens, first, last)
                written[first] = found.tokens[first].text if is_glued else str(phrase.amount)
            continue
        text = found.get_text(phrase)
        if text == "n" and _has_degree_sign(found.tokens, last):
            written[first] = "n"
        elif _is_between_digits(found.tokens, first, last):
            written[first] = text.replace(" ", "")
        elif word := _choose_word(phrase, text):
            written[first] = word
        elif _is_glued(found.tokens, first, last):
            written[first] = text.replace(" ", "")
    return written


def _choose_word(phrase: Phrase, text: str) -> str:
    """Return the word that stands for a phrase between numbers; empty: it does not matter."""
    if text in JOINING_WORDS or WordRole.ADD in phrase.roles:
        return "and"
    if text in RANGE_WORDS | RANGE_OPENINGS | KEPT_WORDS:
        return text
    if text in {"no", "n"}:
        return "no"
    if WordRole.NUMBER in phrase.roles and not text.endswith(("s", "ticket")):
        return "number"
    if WordRole.MANY in phrase.roles:
        return "numbers" if text == "numbers" else "tickets"
    return ""


def _is_glued(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Return whether a word touches a number, as in "5a"."""
    before = first > 0 and tokens[first - 1].kind is TokenKind.NUMBER
    after = last < len(tokens) and tokens[last].kind is TokenKind.NUMBER
    return (before and are_adjacent(tokens[first - 1], tokens[first])) or (
        after and are_adjacent(tokens[last - 1], tokens[last])
    )


def _is_between_digits(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Return whether a word touches two numbers, as in "7x13"."""
    return (
        first > 0
        and last < len(tokens)
        and tokens[first - 1].kind is tokens[last].kind is TokenKind.NUMBER
        and are_adjacent(tokens[first - 1], tokens[first])
        and are_adjacent(tokens[last - 1], tokens[last])
    )


def _has_degree_sign(tokens: Sequence[Token], last: int) -> bool:
    return last < len(tokens) and tokens[last].text == "°"
