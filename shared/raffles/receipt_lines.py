"""Lines and hashes of receipt chains and sealed lists, to the byte; pure functions.

All text is ASCII, lines end with LF, hex is lower case, and the hash is SHA-256.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

HEAD_DIGITS: Final = 8
"""Hex digits of a head that buyers read."""


def build_raffle_reference(raffle_id: int) -> str:
    """Return the name of a raffle in its records: raffle-12."""
    return f"raffle-{raffle_id}"


def normalise_rule_text(text: str) -> str:
    """Return a rule text as it is hashed: NFC, lines ended by LF alone."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def hash_rule_text(text: str) -> str:
    """Return the hash of a rule text, in hex."""
    return hashlib.sha256(normalise_rule_text(text).encode()).hexdigest()


def compute_first_head(reference: str, rule_hash: str) -> str:
    """Return the head of a chain without entries, in hex."""
    return hashlib.sha256(f"raffle-chain-1\n{reference}\n{rule_hash}\n".encode()).hexdigest()


def build_sale_line(number: int, tickets: Sequence[str]) -> str:
    """Return the line of a sale.

    Args:
        number: of the entry, from 1.
        tickets: ticket numbers with their zeros, ascending.

    """
    return f"entry {number} {','.join(tickets)}\n"


def build_void_line(number: int, *, voided: int) -> str:
    """Return the line that makes an entry void."""
    return f"void {number} {voided}\n"


def compute_head(previous: str, line: str) -> str:
    """Return the head after a line, in hex."""
    return hashlib.sha256(f"{previous}\n{line}".encode("ascii")).hexdigest()


def format_head(head: str) -> str:
    """Return the part of a head that buyers read: 9f3a 12c8."""
    half = HEAD_DIGITS // 2
    return f"{head[:half]} {head[half:HEAD_DIGITS]}"


def build_list(tickets: Iterable[str]) -> bytes:
    """Return the canonical list of ticket numbers: one a line, each ended by LF."""
    return "".join(f"{ticket}\n" for ticket in tickets).encode("ascii")


def read_list(numbers: bytes) -> list[str]:
    """Return the ticket numbers of a canonical list."""
    return numbers.decode("ascii").splitlines()


def hash_list(numbers: bytes) -> str:
    """Return the hash of a canonical list, in hex."""
    return hashlib.sha256(numbers).hexdigest()
