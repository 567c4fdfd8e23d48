"""The process that renders one file, with limits of time and memory.

A file comes from a stranger, and decoders have errors. So each is rendered by a process that has no
secret in its environment, writes no file, and ends with its limits.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

from shared.core import logs
from shared.core.enums import RenditionStatus
from shared.raffles.rendering.outcome import Rendering

MAX_CONCURRENT_RENDERINGS: Final = 2
"""Processes at the same time, of each process that fetches or shows files."""
QUEUE_SECONDS: Final = 20
"""The longest wait for a free process."""
RENDER_SECONDS: Final = 60
"""The longest time for one file; the limit of processor time ends a hard one much earlier."""

_CODE_FOLDER: Final = Path(__file__).resolve().parents[3]
_INHERITED_VARIABLES: Final = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH")
_VARIABLES: Final = {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "1"}
_STOP_SIGNALS: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
"""Signals that an operator or a supervisor sends to a whole group of processes."""
_slots: Final = BoundedSemaphore(MAX_CONCURRENT_RENDERINGS)

logger = logs.get_logger(__name__)


class RendererBusy(Exception):
    """The file could not be rendered now, which says nothing about it; another attempt may help."""


def render_file(content: bytes, *, content_type: str) -> Rendering:
    """Return bounded pictures of a file, upright, of the first page or frame.

    Args:
        content: the bytes of the file.
        content_type: its type, detected by its content.

    Raises:
        RendererBusy: no process was free in time, or it was stopped together with this one.

    """
    if not _slots.acquire(timeout=QUEUE_SECONDS):
        raise RendererBusy
    try:
        return _run_process(content, content_type=content_type)
    finally:
        _slots.release()


def _run_process(content: bytes, *, content_type: str) -> Rendering:
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, without a shell
            [sys.executable, "-m", "shared.raffles.rendering.process", content_type],
            input=content,
            capture_output=True,
            cwd=_CODE_FOLDER,
            env=inherited | _VARIABLES,
            timeout=RENDER_SECONDS,
            check=False,
        )
    except OSError as error:
        logger.warning("file_not_rendered", content_type=content_type, reason="no process")
        raise RendererBusy from error
    except subprocess.TimeoutExpired:
        logger.warning("file_not_rendered", content_type=content_type, reason="timeout")
        return Rendering(RenditionStatus.TOO_COMPLEX)
    if -ended.returncode in _STOP_SIGNALS:
        raise RendererBusy
    if ended.returncode != 0:
        logger.warning("file_not_rendered", content_type=content_type, exit_code=ended.returncode)
        return Rendering(RenditionStatus.TOO_COMPLEX)
    try:
        return _parse_answer(ended.stdout)
    except (ValueError, KeyError, TypeError):
        logger.warning("file_not_rendered", content_type=content_type, reason="answer")
        return Rendering(RenditionStatus.TOO_COMPLEX)


def _parse_answer(answer: bytes) -> Rendering:
    """Return what the process wrote: a line of JSON, the picture and the thumbnail."""
    line, _, pictures = answer.partition(b"\n")
    fields = json.loads(line)
    size = fields["picture_size"]
    return Rendering(
        RenditionStatus(fields["status"]),
        picture=pictures[:size],
        thumbnail=pictures[size:],
        fingerprint=fields["fingerprint"],
        page_count=fields["page_count"],
    )
