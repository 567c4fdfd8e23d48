"""Real webhooks from the folder `shared/payloads` beside the checkout, if it exists."""

import json
from collections.abc import Iterator
from typing import Final

from shared.core.config import PROJECT_ROOT

FOLDER: Final = next(
    (
        folder
        for parent in PROJECT_ROOT.parents
        if (folder := parent / "shared" / "payloads").is_dir()
    ),
    None,
)


def _load_payloads() -> Iterator[tuple[str, bytes]]:
    """Yield name and body of each payload; a file in `pywa` holds several by name."""
    for file in sorted(FOLDER.glob("*/*.json")) if FOLDER else []:
        document = json.loads(file.read_bytes())
        if file.parent.name == "pywa":
            for name, payload in document.items():
                yield f"{file.stem}-{name}", json.dumps(payload).encode()
        else:
            yield file.stem, file.read_bytes()


REAL_PAYLOADS: Final = tuple(_load_payloads())
"""Names and bodies; empty without the folder."""
