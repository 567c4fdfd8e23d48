"""Numbers in a folded text, and whether the signs and words around them leave their meaning clear.

A text is split into runs of digits and the gaps between them. A gap that is neither a separator nor
a range makes the numbers unclear: "7.5", "-5", "$5", "3 for 2" and "15:30" are no ticket numbers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MAX_DIGITS: Final = 9
"""The longest run of digits; a longer one is a phone number or an account number."""

MAX_RANGE_SIZE: Final = 1_000
"""The largest range of ticket numbers; no raffle sells as many at once."""

_COUNTED_NOUNS: Final = frozenset({"tickets", "ticket", "numbers"})
"""Nouns after a number that make it a quantity: "5 tickets"."""

_NAMING_WORDS: Final = frozenset({"number", "nr", "num"})
"""Words before a number that make it a ticket number: "number 5"; "no 5" may be a refusal."""

_WORDS_BETWEEN: Final = (
    _COUNTED_NOUNS | _NAMING_WORDS | {"and", "n", "no", "nos", "please", "the", "also", "plus"}
)
"""Words that may stand between two ticket numbers; "for" and "of" give another meaning."""

_FILLER_WORDS: Final = _WORDS_BETWEEN | {
    "i", "want", "would", "like", "take", "give", "me", "my", "for", "of", "are", "these", "hi",
    "hello", "thanks", "thank", "you",
}  # fmt: skip
"""Words around a list that is too long for the reader of sentences."""

_DIGIT_RUN: Final = re.compile(r"(\d++)")
_DASH: Final = r"[-‐–—‒−~]|\.{2,}+|…"
_RANGE_GAP: Final = re.compile(rf" ?(?:{_DASH}|to|through|thru|till|until) ?#? ?")
_BETWEEN_GAP: Final = re.compile(r" ?and ?#? ?")
_MARK: Final = re.compile(
    rf"(?:#|n°|\bno\.|\bn[or](?=\Z)|\b(?:{'|'.join(sorted(_NAMING_WORDS))})\b[.:]?) ?\Z"
)
_COUNTED: Final = re.compile(rf" ?(?:{'|'.join(sorted(_COUNTED_NOUNS))})\b")
_WORD: Final = re.compile(r"[^\W\d_]++(?:'[^\W\d_]++)*+")

_SEPARATORS: Final = frozenset(" ,;/+&|#()[]،؛、")
_DECORATIONS: Final = frozenset("·•'’*_\"“”«»")
_RATES: Final = frozenset("%٪‰‱")
_DIRECT_BEFORE: Final = _NAMING_WORDS | {"no", "n", "and", "to", "from", "ticket", "tickets"}
_DIRECT_AFTER: Final = _COUNTED_NOUNS | {"and", "n", "to"}


@dataclass(frozen=True, slots=True)
class NumberList:
    """The numbers of a text.

    Attributes:
        values: the numbers in ascending order, each once.
        is_doubtful: whether they may mean something else, as in "10-20 tickets".
        is_unclear: whether the signs around them change their meaning, as in "7.5".
        has_other_words: whether the text says anything else.
        is_marked: whether a sign, a leading zero or a word marks one as a ticket number.
        is_single: whether there is one number alone.
        is_plain: whether no number has a mark or all digits that ticket numbers have.

    """

    values: tuple[int, ...]
    is_doubtful: bool
    is_unclear: bool
    has_other_words: bool
    is_marked: bool
    is_single: bool
    is_plain: bool


def _has_misleading_signs(text: str) -> bool:
    """Return whether signs change the meaning of the numbers, in digits or in words."""
    gaps = _DIGIT_RUN.split(text)[::2]
    return (
        _names_rate_or_money(text)
        or _is_sign(text[:1])
        or (len(gaps) > 1 and (_is_unclear_before(gaps[0]) or _is_unclear_after(gaps[-1])))
        or any(_is_unclear_between(gap) for gap in gaps[1:-1])
    )


def _names_rate_or_money(text: str) -> bool:
    return any(char in _RATES or unicodedata.category(char) == "Sc" for char in text)


def _is_sign(char: str) -> bool:
    return bool(char) and char != "+" and unicodedata.category(char) in {"Pd", "Sm"}


def parse_number_list(text: str, *, last_number: int | None) -> NumberList | None:
    """Return the numbers of a text, or None without any or with one too long.

    Args:
        text: the text, folded, with one space for each run of white space.
        last_number: the last ticket number; None: unknown, and then no number has separators.

    """
    pieces = _DIGIT_RUN.split(text)
    is_unclear = _has_misleading_signs(text)
    is_doubtful, pieces = _group_thousands(pieces, last_number=last_number)
    gaps, runs = pieces[::2], pieces[1::2]
    if not runs or any(len(run) > MAX_DIGITS for run in runs):
        return None
    is_range = [_is_range(before, gap) for before, gap in pairwise(gaps[:-1])]
    values = _collect_values(runs, is_range)
    if values is None:
        return None
    many = len(runs) > 1
    after = gaps[1:] if many else []
    width = len(str(last_number)) if last_number is not None else 0
    marked = [_is_marked(gap, run) for gap, run in zip(gaps, runs, strict=False)]
    return NumberList(
        tuple(sorted(values)),
        is_doubtful=is_doubtful
        or any(map(_COUNTED.match, after))
        or (not all(is_range) and any(one and two for one, two in pairwise(is_range))),
        is_unclear=is_unclear,
        has_other_words=_has_other_words(gaps, is_range),
        is_marked=any(marked),
        is_single=not many,
        is_plain=not any(
            mark and (not run.startswith("0") or len(run) >= width)
            for mark, run in zip(marked, runs, strict=True)
        ),
    )


def _group_thousands(pieces: list[str], *, last_number: int | None) -> tuple[bool, list[str]]:
    """Return whether groups of three digits are doubtful, and the pieces with the groups joined."""
    if last_number is None:
        return False, pieces
    joined, is_doubtful, place = pieces[:1], False, 1
    while place < len(pieces):
        group = _find_group(pieces, place)
        whole, width = "".join(group), len(str(last_number))
        exists = len(whole) <= MAX_DIGITS and int(whole) <= last_number
        if len(group) > 1 and pieces[place + 1] == "," and exists:
            joined += [whole, pieces[place + 2 * len(group) - 1]]
        else:
            joined += pieces[place : place + 2 * len(group)]
            has_other_width = any(len(part) != width for part in group)
            is_doubtful = is_doubtful or (
                len(group) > 1
                and (exists or "000" in group[1:] or (pieces[place + 1] == "," and has_other_width))
            )
        place += 2 * len(group)
    return is_doubtful, joined


def _find_group(pieces: Sequence[str], place: int) -> Sequence[str]:
    """Return the runs from a place on that look like one number with thousands separators.

    A number after the same separator, and a chain too long for one number, belong to a list.
    """
    alone, separator = pieces[place : place + 1], pieces[place + 1]
    is_first = 1 <= len(alone[0]) <= 3 and not alone[0].startswith("0")  # noqa: PLR2004
    if not is_first or separator not in {",", " "} or pieces[place - 1] == separator:
        return alone
    group = pieces[place : place + 2 * MAX_DIGITS : 2]
    separators = pieces[place + 1 : place + 2 * MAX_DIGITS : 2]
    size = next((n for n, gap in enumerate(separators, 1) if gap != separator), MAX_DIGITS)
    parts = group[:size]
    return parts if all(len(part) == 3 for part in parts[1:]) else alone  # noqa: PLR2004


def _is_range(before: str, gap: str) -> bool:
    if before.rstrip(" #").endswith("between"):
        return _BETWEEN_GAP.fullmatch(gap) is not None
    return _RANGE_GAP.fullmatch(gap) is not None


def _collect_values(runs: Sequence[str], is_range: Sequence[bool]) -> set[int] | None:
    """Return all numbers, or None with a range that is too large.

    Numbers in a chain of dashes, "07-13-45", stand for themselves.
    """
    values = set(map(int, runs))
    chain = [False, *is_range, False]
    for place, (first, last) in enumerate(pairwise(map(int, runs))):
        if not is_range[place] or chain[place] or chain[place + 2]:
            continue
        low, high = sorted((first, last))
        if high - low >= MAX_RANGE_SIZE:
            return None
        values.update(range(low, high + 1))
    return values


def _is_marked(gap: str, run: str) -> bool:
    """Return whether a sign, a leading zero or a word marks a number as a ticket number."""
    return (run.startswith("0") and len(run) > 1) or _MARK.search(gap[-12:]) is not None


def _has_other_words(gaps: Sequence[str], is_range: Sequence[bool]) -> bool:
    for place, gap in enumerate(gaps):
        words = _WORD.findall(gap)
        if place < len(is_range) and is_range[place] and words[-1:] in (["from"], ["between"]):
            words.pop()
        if 0 < place <= len(is_range) and is_range[place - 1]:
            continue
        if any(word not in _FILLER_WORDS for word in words):
            return True
    return False


def _is_unclear_before(gap: str) -> bool:
    """Return whether the text before the first number changes its meaning: "-5", ".5", "< 5"."""
    tail = gap.rstrip(" ")
    if not tail:
        return False
    sign, is_direct = unicodedata.category(tail[-1]), tail == gap
    if sign == "Sm" and tail != "+":
        return True
    if sign == "Pd":
        return is_direct or len(tail) == 1
    if not is_direct:
        return False
    if tail[-1] == "." and _MARK.search(gap[-12:]) is None:
        return True
    return sign.startswith("L") and not _ends_with(tail, _DIRECT_BEFORE)


def _is_unclear_after(gap: str) -> bool:
    """Return whether the text after the last number changes its meaning: "5-", "5+", "5a"."""
    head = gap.lstrip(" ")
    if not head:
        return False
    sign, is_direct = unicodedata.category(head[0]), head == gap
    if sign == "Sm":
        return True
    if sign == "Pd":
        return is_direct or len(head.rstrip(" ")) == 1
    return is_direct and sign.startswith("L") and not _begins_with(head, _DIRECT_AFTER)


def _is_unclear_between(gap: str) -> bool:
    """Return whether a gap neither separates two numbers nor makes a range of them."""
    if _RANGE_GAP.fullmatch(gap):
        return False
    words = _WORD.findall(gap)
    if any(word in _FILLER_WORDS and word not in _WORDS_BETWEEN for word in words):
        return True
    rest = _WORD.sub("", gap).replace("no.", "no")
    if any(_is_foreign_sign(char) for char in rest):
        return True
    if gap and gap[0].isalpha() and not _begins_with(gap, _DIRECT_AFTER):
        return True
    if gap and gap[-1].isalpha() and not _ends_with(gap, _DIRECT_BEFORE):
        return True
    return not words and _SEPARATORS.isdisjoint(rest)


def _is_foreign_sign(char: str) -> bool:
    if char in _SEPARATORS or char in _DECORATIONS:
        return False
    return unicodedata.category(char) not in {"Cf", "So", "Sk", "Mn", "Me"}


def _begins_with(text: str, words: Iterable[str]) -> bool:
    return next(_iterate_words(text), "") in words


def _ends_with(text: str, words: Iterable[str]) -> bool:
    return (_WORD.findall(text) or [""])[-1] in words


def _iterate_words(text: str) -> Iterator[str]:
    return (found.group() for found in _WORD.finditer(text))
