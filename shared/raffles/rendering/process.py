"""Entry point of the process that renders one file: the file comes on stdin, pictures on stdout."""

import json
import os
import resource
import sys
from typing import Final

MEMORY_LIMIT: Final = 768 * 1024 * 1024
"""Bytes of address space, of which the libraries take a third without touching it."""
CPU_SECONDS: Final = 8
"""Processor time; a photo takes a tenth of a second, 20,000 x 20,000 pixels half of one."""

LIMITS: Final = (
    (resource.RLIMIT_AS, MEMORY_LIMIT),
    (resource.RLIMIT_CPU, CPU_SECONDS),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
)


def main() -> None:
    """Set the limits, render the file and write a line of JSON, the picture and the thumbnail."""
    for limit, value in LIMITS:
        resource.setrlimit(limit, (value, value + 1 if limit == resource.RLIMIT_CPU else value))
    os.nice(10)  # buyers are answered and pages are served first
    from shared.raffles.rendering import pictures  # noqa: PLC0415 - after the limits

    rendering = pictures.render(sys.stdin.buffer.read(), content_type=sys.argv[1])
    fields = {
        "status": rendering.status,
        "fingerprint": rendering.fingerprint,
        "page_count": rendering.page_count,
        "picture_size": len(rendering.picture),
    }
    sys.stdout.buffer.write(json.dumps(fields).encode() + b"\n")
    sys.stdout.buffer.write(rendering.picture + rendering.thumbnail)


if __name__ == "__main__":
    main()
