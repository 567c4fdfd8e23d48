"""An auditor's program for records of draws, written from the published method alone.

It knows nothing of the product, and it does things in another way: the pool is a list from which
winners are taken out, as RFC 3797 describes it.
"""

import hashlib
import json
from typing import Any


def audit_record(files: dict[str, bytes]) -> list[tuple[int, int, str]]:
    """Return prize, attempt and winning number of each attempt, as this program computes them.

    Raises:
        AssertionError: hashes, list and receipts do not fit.

    """
    draw = json.loads(files["draw.json"])
    rule_hash = hashlib.sha256(draw["rule_text"].encode("utf-8")).hexdigest()
    assert rule_hash == draw["rule_sha256"], "rules"
    assert hashlib.sha256(files["list.txt"]).hexdigest() == draw["list_sha256"], "list"
    tickets = files["list.txt"].decode("ascii").split()
    assert tickets == sorted(set(tickets)), "order"
    assert len(tickets) == draw["count"], "count"
    _audit_chain(files["chain.txt"].decode("ascii"), draw, rule_hash, tickets)
    match draw["method"]:
        case "public_value":
            return _draw_by_public_value(draw, tickets)
        case "lottery_digits":
            return _draw_by_digits(draw, tickets)
        case _:
            return _draw_by_drum(draw, tickets)


def _audit_chain(text: str, draw: Any, rule_hash: str, tickets: list[str]) -> None:
    start = f"raffle-chain-1\n{draw['reference']}\n{rule_hash}\n"
    head = hashlib.sha256(start.encode("ascii")).hexdigest()
    entries: dict[str, list[str]] = {}
    lines = text.splitlines(keepends=True)
    for line in lines:
        head = hashlib.sha256((head + "\n" + line).encode("ascii")).hexdigest()
        word, number, rest = line.split()
        if word == "entry":
            entries[number] = rest.split(",")
        else:
            assert word == "void", "line"
            del entries[rest]
    assert (head, len(lines)) == (draw["chain_head"], draw["chain_length"]), "chain"
    assert sorted(ticket for entry in entries.values() for ticket in entry) == tickets, "receipts"


def _find_readings(draw: Any) -> dict[int, Any]:
    rows = [row for source in draw["sources"] for row in source["readings"]] + draw["stubs"]
    return {row["reading"]: row for row in rows}


def _is_void(row: Any, inputs: int) -> bool:
    """Whether values did not count any more when values had been declared void so often."""
    return row["void"] is not None and (
        row["void"]["ended_inputs"] is None or row["void"]["ended_inputs"] < inputs
    )


def _draw_by_public_value(draw: Any, tickets: list[str]) -> list[tuple[int, int, str]]:
    readings = _find_readings(draw)
    pools: dict[int, list[str]] = {}
    found = []
    for attempt in draw["attempts"]:
        key = ""
        for source, number in zip(draw["sources"], attempt["readings"], strict=True):
            values = readings[number]["values"]
            if source["kind"] != "drand":
                values = sorted(int(value) for value in values)
            key += "".join(f"{value}." for value in values) + "/"
        pool = pools.setdefault(attempt["inputs"], list(tickets))
        k = attempt["selection"]
        two_bytes = bytes([k // 256, k % 256])
        digest = hashlib.md5(two_bytes + key.encode("ascii") + two_bytes).hexdigest()
        winner = pool.pop(int(digest, 16) % len(pool))
        found.append((attempt["prize"], attempt["attempt"], winner))
    return found


def _draw_by_digits(draw: Any, tickets: list[str]) -> list[tuple[int, int, str]]:
    readings = _find_readings(draw)
    found: list[tuple[int, int, str]] = []
    for attempt in draw["attempts"]:
        kept = [
            (prize, number)
            for (prize, _, number), former in zip(found, draw["attempts"], strict=False)
            if not any(_is_void(readings[one], attempt["inputs"]) for one in former["readings"])
        ]
        taken = {number for _, number in kept}
        mine = [number for prize, number in kept if prize == attempt["prize"]]
        width = draw["ticket_digits"]
        value = readings[attempt["readings"][-1]]["values"][0]
        wanted = (
            mine[-1] if mine else value.rjust(width, "0")[len(value.rjust(width, "0")) - width :]
        )
        upwards = [one for one in tickets if one >= wanted] + [
            one for one in tickets if one < wanted
        ]
        winner = next(one for one in upwards if one not in taken)
        if not mine and draw["unsold_rule"] == "next_source_date":
            assert wanted in tickets, "the next draw should have decided"
        found.append((attempt["prize"], attempt["attempt"], winner))
    return found


def _draw_by_drum(draw: Any, tickets: list[str]) -> list[tuple[int, int, str]]:
    readings = _find_readings(draw)
    found = []
    for attempt in draw["attempts"]:
        (number,) = attempt["readings"]
        stub = readings[number]
        assert (stub["prize"], stub["attempt"]) == (attempt["prize"], attempt["attempt"]), "stub"
        assert stub["values"][0] in tickets, "a stub that was not sold"
        found.append((attempt["prize"], attempt["attempt"], stub["values"][0]))
    return found
