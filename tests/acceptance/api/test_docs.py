"""Tests of the curl examples in docs/api.md: their answers, and one example per URL."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.api.conftest import ApiServer

pytestmark = pytest.mark.xdist_group("api")

ROOT: Final = Path(__file__).resolve().parents[3]
DOCS: Final = (ROOT / "docs" / "api.md").read_text()
EXAMPLE: Final = re.compile(
    r"```bash\n(?P<command>curl .*?)```\n\n`(?P<status>\d{3})`[^\n]*\n"
    r"(?:\n```json\n(?P<answer>.*?)```)?",
    re.DOTALL,
)
CODES: Final = {
    "R-7K3F9": "confirm",
    "R-4M8TQ": "cancel",
    "R-C6W2P": "reject",
    "R-H5X3D": "late",
    "R-P8V4N": "undo",
    "R-T2Z6K": "refund",
    "R-Q5N7C": "wrong order",
    "R-W8J4B": "right order",
}
"""Name of the seeded order that stands for each code in the docs."""
CONFIRMATION_IDS: Final = {
    '"confirmation_id": 31': "undo confirmation",
    '"confirmation_id": 35': "refund confirmation",
}
"""Name of the seeded id that stands for each confirmation in the docs."""
FINGERPRINT: Final = re.compile(r"\b[0-9a-f]{64}\b")
"""The inputs of the draw in the docs, for which those of the seeded raffle stand."""
ANYTHING: Final = "…"


@dataclass(frozen=True)
class Example:
    """A command from the docs with the answer that the docs promise."""

    command: str
    status: int
    answer: Any

    @property
    def target(self) -> tuple[str, str]:
        """Return the method and the path of the request."""
        found = re.search(r"\$PUBLIC_URL(/[^\"'\s]*)", self.command)
        assert found, self.command
        method = re.search(r"-X (\w+)", self.command)
        posts = " -d " in self.command or "--data" in self.command
        verb = method[1] if method else "POST" if posts else "GET"
        return verb, urlsplit(found[1]).path


def list_examples() -> Iterator[Example]:
    for found in EXAMPLE.finditer(DOCS):
        answer = found["answer"]
        yield Example(found["command"], int(found["status"]), answer and json.loads(answer))


def test_every_curl_is_answered_as_the_docs_say(api_server: ApiServer, tmp_path: Path) -> None:
    (tmp_path / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    environment = {
        "PATH": os.environ["PATH"],
        "CURL_HOME": str(tmp_path),
        "PUBLIC_URL": api_server.address,
        "TOKEN": api_server.seeded.token,
        "DRAW_TOKEN": api_server.seeded.draw_token,
    }
    for example in list_examples():
        command = example.command
        for code, name in CODES.items():
            command = command.replace(code, api_server.seeded.codes[name])
        for field, name in CONFIRMATION_IDS.items():
            command = command.replace(field, f'"confirmation_id": {api_server.seeded.ids[name]}')
        command = command.replace("proofs/41/", f"proofs/{api_server.seeded.ids['moved proof']}/")
        if FINGERPRINT.search(command):
            command = FINGERPRINT.sub(load_fingerprint(api_server), command)
        done = subprocess.run(
            ["bash", "-euc", command],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        body, _, status = done.stdout.rpartition("\n")
        assert int(status or 0) == example.status, (example.command, done.stdout, done.stderr)
        if example.answer is not None:
            fault = find_difference(json.loads(body), example.answer)
            assert not fault, f"{example.command}\n{fault}\n{body}"


def load_fingerprint(api_server: ApiServer) -> str:
    """Return the fingerprint of the inputs of the sealed raffle's draw."""
    draw = httpx.get(
        f"{api_server.address}/api/raffles/{api_server.seeded.ids['sealed']}/draw",
        headers={"Authorization": f"Bearer {api_server.seeded.draw_token}"},
        trust_env=False,
    )
    return str(draw.json()["inputs"]["fingerprint"])


def test_every_address_has_a_curl() -> None:
    schema = json.loads((ROOT / "openapi.json").read_text())
    shown = {example.target for example in list_examples()}

    missing = [
        f"{method.upper()} {path}"
        for path, methods in schema["paths"].items()
        for method in methods
        if not any(
            verb == method.upper() and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), where)
            for verb, where in shown
        )
    ]

    assert not missing, f"docs/api.md has no curl for {missing}"


def test_no_curl_stands_there_untested() -> None:
    assert len(list(list_examples())) == DOCS.count("```bash\ncurl ")


def find_difference(real: Any, written: Any, *, where: str = "answer") -> str:
    """Return the first place where an answer's shape differs from the docs, or ""."""
    if written in (ANYTHING, real):
        return ""
    if isinstance(written, dict) and isinstance(real, dict):
        if not set(written) - {ANYTHING} <= set(real) or (
            set(real) - set(written) and ANYTHING not in written
        ):
            return f"{where} has {sorted(real)}, written are {sorted(written)}"
        parts = [(real[name], written[name], name) for name in written if name != ANYTHING]
    elif isinstance(written, list) and isinstance(real, list):
        if bool(written) != bool(real):
            return f"{where} is {real}, written is {written}"
        parts = [(real[0], first, "0") for first in written[:1]]
    else:
        same = type(real) is type(written)
        return "" if same else f"{where} is {real!r}, written is {written!r}"
    return next(
        filter(None, (find_difference(*pair, where=f"{where}.{name}") for *pair, name in parts)), ""
    )
