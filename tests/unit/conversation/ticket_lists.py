"""Reads ticket numbers back from lists in texts."""

import re


def parse_listed_numbers(text: str) -> set[int]:
    """Return the ticket numbers of a list, also those within its ranges."""
    found = re.findall(r"(\d+)(?:–(\d+))?", text)
    return {number for first, last in found for number in range(int(first), int(last or first) + 1)}
