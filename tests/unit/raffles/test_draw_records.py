"""Records of draws: recomputed by an auditor's own program, and verified by the one they carry."""

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core.enums import DrawMethod
from shared.raffles import receipt_lines
from shared.raffles.draws import draw_methods
from shared.raffles.services.draws.records import public_record, record_zip, verify
from tests.draw_auditor import audit_record
from tests.draw_records import SampleDraw, build_sample_draw

DRAWS = 1_000
DRAWS_PAGE = Path(__file__).parents[3] / "docs/draws.md"


def test_an_auditors_program_and_verify_agree_on_a_thousand_draws() -> None:
    seen, redrawn, voided = set(), 0, 0
    for seed in range(DRAWS):
        sample = build_sample_draw(seed)
        files = sample.build_files()
        drawn = [
            (result.prize.position, result.attempt, f"{result.number:0{sample.raffle.width}d}")
            for result in sample.results
        ]
        assert audit_record(files) == drawn, seed
        report = verify.verify_files(files)
        assert report.problems == [], seed
        assert sum(" gives " in fact for fact in report.facts) == len(drawn)
        seen.add((sample.method, len(sample.prizes) > 1))
        redrawn += any(result.reason not in {"", "SOURCE_VOID"} for result in sample.results)
        voided += any(result.inputs for result in sample.results)
    assert seen == {(method, several) for method in DrawMethod for several in (False, True)}
    assert redrawn > DRAWS / 4
    assert voided > DRAWS / 10


def test_the_example_of_rfc_3797_passes() -> None:
    key = verify.build_key_string(
        [
            (False, ["9319"]),
            (False, ["2", "5", "12", "8", "10"]),
            (False, ["9", "18", "26", "34", "41", "45"]),
        ]
    )
    assert key == "9319./2.5.8.10.12./9.18.26.34.41.45./"
    pool = [str(number) for number in range(1, 26)]
    removed: list[int] = []
    for selection in range(10):
        chosen = verify.select_by_rfc3797(pool, removed, key, selection)
        removed.append(pool.index(chosen))
    assert [place + 1 for place in removed] == [17, 7, 2, 16, 25, 23, 8, 24, 19, 13]


def test_the_published_vectors_hold_for_the_product_and_the_program() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", DRAWS_PAGE.read_text(), re.DOTALL)
    vectors = json.loads(block)
    assert receipt_lines.hash_rule_text(vectors["rule_text"]) == vectors["rule_sha256"]
    heads = [receipt_lines.compute_first_head(vectors["reference"], vectors["rule_sha256"])]
    for line in vectors["chain"]:
        heads.append(receipt_lines.compute_head(heads[-1], line))
    assert heads == vectors["heads"]
    assert vectors["receipt"].endswith(receipt_lines.format_head(heads[-1]))
    chain = verify.read_chain(
        "".join(vectors["chain"]).encode(), first_head=heads[0], digits=2, receipt=None
    )
    pool = sorted(ticket for entry in chain.sales.values() for ticket in entry)
    assert (chain.head, receipt_lines.build_list(pool)) == (heads[-1], vectors["list"].encode())
    assert receipt_lines.hash_list(vectors["list"].encode()) == vectors["list_sha256"]
    removed: list[int] = []
    for selection, ticket in enumerate(vectors["selections"]):
        selected = draw_methods.select_by_rfc3797(
            pool, key_string=vectors["key_string"], removed=removed, selection=selection
        )
        checked = verify.select_by_rfc3797(pool, removed, vectors["key_string"], selection)
        assert selected.ticket == checked == ticket
        removed.append(pool.index(ticket))
    for drawn in vectors["lottery"]:
        digits = verify.take_last_digits(drawn["value"], width=2)
        found = draw_methods.select_next_sold(pool, start=digits, excluded=(), after=False)
        assert found is not None
        checked = verify.select_next_sold(pool, digits, set(), after=False)
        assert found.ticket == checked == drawn["winner"]
    at = datetime.fromisoformat(vectors["drand"]["at"])
    assert draw_methods.compute_drand_round(at) == vectors["drand"]["round"]
    assert verify.compute_drand_round(at) == vectors["drand"]["round"]


@pytest.mark.parametrize("seed", [3, 4, 11])
def test_one_changed_byte_is_named_with_its_file(seed: int) -> None:
    files = complete(build_sample_draw(seed))
    assert verify.verify_files(files).problems == []
    for name, content in files.items():
        for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
            changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            problems = verify.verify_files({**files, name: changed}).problems
            assert any(name in problem for problem in problems), (name, place)


def test_list_chain_and_rules_are_bound_without_checksums() -> None:
    files = complete(build_sample_draw(5))
    del files["SHA256SUMS"]
    for name in ("list.txt", "chain.txt", "rules.txt"):
        for place in range(0, len(files[name]), max(len(files[name]) // 40, 1)):
            content = files[name]
            changed = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
            problems = verify.verify_files({**files, name: changed}).problems
            assert any(problem.startswith(f"{name}: ") for problem in problems), (name, place)


def test_a_seller_who_rewrites_the_record_is_found_out() -> None:
    """Every hash is made to fit; what was computed from it and what buyers hold is not."""
    sample = build_sample_draw(next(s for s in range(50) if is_plain_public_draw(s)))
    files = sample.build_files()

    def forge(**changes: object) -> str:
        document = {**json.loads(files["draw.json"]), **changes}
        forged = {**files, "draw.json": json.dumps(document).encode()}
        return " ".join(verify.verify_files(forged).problems)

    draw = json.loads(files["draw.json"])
    other = next(ticket for ticket in sample.tickets if ticket != draw["attempts"][0]["number"])
    attempts = draw["attempts"]
    assert f"not {other}" in forge(attempts=[{**attempts[0], "number": other}, *attempts[1:]])
    assert "the next selection" in forge(attempts=[{**attempts[0], "selection": 7}])
    assert "before reading" in forge(attempts=[{**attempts[0], "at": draw["sealed_at"]}])
    assert "too early for its first date" in forge(sealed_at="2099-01-01T00:00:00+00:00")
    source = draw["sources"][0]
    twice = {**source["readings"][0], "reading": 99}
    again = [{**source, "readings": [*source["readings"], twice]}, *draw["sources"][1:]]
    assert "two readings of one date" in forge(sources=again)
    alone = [{**source, "readings": [{**source["readings"][0], "people": 1}]}, *draw["sources"][1:]]
    assert "second person" in forge(sources=alone)
    assert "rules do not say" in forge(prizes=[{"prize": 1, "title": "a bicycle"}])
    assert "rules do not say" in forge(prizes=[{"prize": 1, "title": "caf"}])
    often = [{**each, "repeat_days": 2} for each in draw["sources"]]
    assert "repeats so often" in forge(sources=often)
    assert "the ticket numbers" in forge(ticket_digits=draw["ticket_digits"] + 1)


def test_a_seller_who_picks_other_dates_sources_or_rules_is_found_out() -> None:
    """What would choose among values: another date, order of sources, rule or fewer prizes."""
    two = find_sample(lambda sample: len(sample.sources) == 2 and sample.sources[0].at is None)
    draw = json.loads(two.build_files()["draw.json"])
    drand, lotto = draw["sources"]
    assert "in this place" in verify_changed(two, sources=[lotto, drand]).problems[0]
    assert "in this place" in verify_changed(two, sources=[drand]).problems[0]
    assert "number of sources" in verify_changed(two, sources=[drand, lotto, lotto]).problems[0]
    assert "been moved" not in " ".join(verify_changed(two).look_ups)
    moved = verify_changed(two, sources=[move_dates(drand, days=1), lotto])
    assert moved.problems == [], "the rules let the draw be moved"
    assert "is said to have been moved to 2026-11-23 21:00" in " ".join(moved.look_ups)
    named = verify_changed(two, sources=[drand, {**move_dates(lotto, days=3), "skipped_dates": 0}])
    assert "and the rules say of 2026-" in " ".join(named.problems)

    lottery = find_sample(lambda sample: sample.method is DrawMethod.LOTTERY_DIGITS)
    rule = {"next_sold_upwards", "next_source_date"} - {lottery.rules.unsold_rule.lower()}
    assert "was not sold" in verify_changed(lottery, unsold_rule=rule.pop()).problems[0]
    several = find_sample(lambda sample: len(sample.prizes) > 1)
    fewer = [{"prize": prize.position, "title": prize.title} for prize in several.prizes[:-1]]
    assert "so few prizes" in verify_changed(several, prizes=fewer).problems[0]
    assert "by 'recorded_drum'" in verify_changed(two, method="recorded_drum").problems[0]


def test_what_nobody_can_compute_is_to_be_looked_up() -> None:
    sample = find_sample(
        lambda sample: (
            sample.method is DrawMethod.PUBLIC_VALUE
            and any(reading.voided_at is not None for reading in sample.readings)
        )
    )
    report = verify_changed(sample, two_people=False)
    assert "One person alone" in report.look_ups[0]
    looked = " ".join(report.look_ups)
    for reading in sample.readings:
        assert " ".join(reading.values) in looked
    assert "It does not count; said to be " in looked
    assert "seen twice" in looked
    assert "look   One person alone" in verify.describe_report(report)


def test_a_receipt_is_found_void_or_missing() -> None:
    sample = next(
        sample
        for seed in range(99)
        if b"void" in (sample := build_sample_draw(seed)).chain and len(sample.tickets) > 5
    )
    files = sample.build_files()
    heads = list_heads(sample)
    lines = sample.chain.decode().splitlines()
    void = next(line.split() for line in lines if line.startswith("void"))
    sale = next(
        line.split() for line in lines if line[:5] == "entry" and line.split()[1] != void[2]
    )

    def check(number: str, head: str) -> verify.Report:
        return verify.verify_files(files, verify.parse_receipt([number, head[:4], head[4:8]]))

    good = check(sale[1], heads[int(sale[1])])
    assert good.problems == []
    assert any(", ".join(sale[2].split(",")) in fact for fact in good.facts)
    assert any(
        "void by entry " + void[1] in fact for fact in check(void[2], heads[int(void[2])]).facts
    )
    assert "no sale" in check(void[1], heads[int(void[1])]).problems[0]
    assert "no entry" in check(sale[1], "0" * 8).problems[0]
    assert "no entry" in check("999999", "0" * 8).problems[0]
    for words in (["x", "9f3a12c8"], ["57"], ["-1", "9f3a12c8"]):
        with pytest.raises(verify.Unreadable):
            verify.parse_receipt(words)


SMALL = [seed for seed in range(40) if len(build_sample_draw(seed).tickets) < 50]
"""Seeds of draws that are verified in a millisecond."""

HOSTILE_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**19, -(10**19), 10**30, 1.5, "", "\ud800", "9" * 5_000, "0001-01-01"]),
    st.sampled_from(["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "x\x1b[2J"]),
    st.lists(st.integers(), max_size=2),
    st.builds(lambda: [[[[]]], [[[]]], [[[]]]]),  # anew each time: it is damaged itself, too
    st.builds(dict),
)


@settings(max_examples=100, deadline=None)
@given(seed=st.sampled_from(SMALL), data=st.data())
def test_hostile_values_never_crash_the_verification(seed: int, data: st.DataObject) -> None:
    files = build_files(seed)
    document = json.loads(files["draw.json"])
    for _ in range(data.draw(st.integers(1, 3))):
        put_somewhere(document, data)
    report = verify.verify_files({**files, "draw.json": json.dumps(document).encode()})
    assert verify.describe_report(report).isprintable() or "\n" in verify.describe_report(report)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_damaged_archives_never_crash_the_verification(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    packed = bytearray(pack_record(data.draw(st.sampled_from(SMALL[:4]))))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del packed[data.draw(st.integers(0, len(packed))) :]
    path = tmp_path_factory.mktemp("record") / "record.zip"
    path.write_bytes(packed)
    with contextlib.suppress(verify.Unreadable):
        verify.describe_report(verify.verify_record(path))


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"1" * 10_000, b"{}", b"null", b'{"a":1,"a":2}', b"\xff"]
)
def test_documents_that_are_none_are_named(content: bytes) -> None:
    (problem,) = verify.verify_files({"draw.json": content}).problems
    assert problem.startswith("draw.json: ")


def test_the_program_runs_alone_from_its_folder_and_on_a_zip(tmp_path: Path) -> None:
    sample = build_sample_draw(6)
    files = complete(sample)
    folder = tmp_path / "record"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    packed = tmp_path / "record.zip"
    packed.write_bytes(pack(files))
    program = folder / "verify.py"
    head = list_heads(sample)[1]
    good = run(program, "--receipt", "1", head[:8])
    assert (good.returncode, good.stderr) == (0, "")
    assert "Everything holds." in good.stdout
    assert run(program, str(packed)).returncode == 0
    (folder / "list.txt").write_bytes(files["list.txt"] + b"99\n")
    bad = run(program)
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "WRONG  list.txt: " in bad.stdout
    assert run(program, str(tmp_path / "nothing.zip")).returncode == 2
    packed.write_bytes(pack({**files, "notes.txt": b""}, method=zipfile.ZIP_LZMA))
    problems = verify.verify_record(packed).problems
    assert "draw.json: it is compressed in a way that no record is." in problems
    assert "notes.txt: this is no file of a record, or is there twice." in problems
    assert run(program, str(tmp_path)).returncode == 2


def test_the_program_needs_python_3_9_and_its_library_alone() -> None:
    source = public_record.read_verifier()
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names


def is_plain_public_draw(seed: int) -> bool:
    sample = build_sample_draw(seed)
    return (
        sample.method is DrawMethod.PUBLIC_VALUE
        and len(sample.prizes) == 1
        and len(sample.readings) == len(sample.sources)
    )


def find_sample(condition: Callable[[SampleDraw], bool]) -> SampleDraw:
    return next(filter(condition, map(build_sample_draw, range(99))))


def verify_changed(sample: SampleDraw, **changes: object) -> verify.Report:
    """Verify a record whose draw.json has other values."""
    files = sample.build_files()
    document = {**json.loads(files["draw.json"]), **changes}
    return verify.verify_files({**files, "draw.json": json.dumps(document).encode()})


def move_dates(source: dict[str, Any], *, days: int) -> dict[str, Any]:
    """Return a source of draw.json with all its dates some days later."""

    def move(text: str) -> datetime:
        return datetime.fromisoformat(text) + timedelta(days=days)

    readings = []
    for reading in source["readings"]:
        date = move(reading["date"])
        at = None if reading["round"] is None else verify.compute_drand_round(date)
        readings.append({**reading, "date": date.isoformat(), "round": at})
    return {**source, "first_date": move(source["first_date"]).isoformat(), "readings": readings}


def complete(sample: SampleDraw) -> dict[str, bytes]:
    """Return the files of a record with its checksums."""
    files = sample.build_files()
    files["rules.txt"] = sample.rules.text.encode()
    files["verify.py"] = public_record.read_verifier()
    with record_zip.RecordZip() as archive:
        for name, content in files.items():
            archive.add(name, [content])
        archive.add_checksums("SHA256SUMS")
        with archive.hand_over() as packed, zipfile.ZipFile(packed) as read:
            return {name: read.read(name) for name in read.namelist()}


@cache
def build_files(seed: int) -> dict[str, bytes]:
    return build_sample_draw(seed).build_files()


@cache
def pack_record(seed: int) -> bytes:
    return pack(complete(build_sample_draw(seed)))


def pack(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression=method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def list_heads(sample: SampleDraw) -> list[str]:
    """Return the heads of a chain: the first one before any entry."""
    reference = receipt_lines.build_raffle_reference(sample.raffle.pk)
    heads = [receipt_lines.compute_first_head(reference, sample.rules.sha256)]
    for line in sample.chain.decode().splitlines(keepends=True):
        heads.append(receipt_lines.compute_head(heads[-1], line))
    return heads


def put_somewhere(document: object, data: st.DataObject) -> None:
    """Put a hostile value anywhere into a JSON document, or take a value out of it."""
    places: list[tuple[dict[str, object] | list[object], str | int]] = []
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            places += [(value, name) for name in value]
            waiting += value.values()
        elif isinstance(value, list):
            places += [(value, index) for index in range(len(value))]
            waiting += value
    where, key = data.draw(st.sampled_from(places))
    if data.draw(st.booleans()):
        del where[key]  # type: ignore[arg-type]
    else:
        where[key] = data.draw(HOSTILE_VALUES)  # type: ignore[index]


def run(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
