"""Structured logs: event names and ids, with phone numbers masked.

All lines about one message carry the same correlation id.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_UNMASKED_KEYS: Final = frozenset(
    {"phone_number_id", "timestamp", "correlation_id", "level", "logger"}
)
_PHONE_PATTERN: Final = re.compile(r"(?<![\w.])\+?\d{8,15}(?![\w.])")


def mask_phone_numbers(text: str) -> str:
    """Return `text` with every phone number masked except its last two digits.

    "+5491122334455" becomes "***55".
    """
    return _PHONE_PATTERN.sub(lambda found: "***" + found.group()[-2:], text)


def _mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in _UNMASKED_KEYS:
            event[key] = mask_phone_numbers(value)
    return event


def configure_logging(*, style: str, level: str) -> None:
    """Send the logs of this process and of its libraries to standard error.

    Args:
        style: `console` for people, `json` for machines.
        level: the lowest level that is logged, such as `INFO`.

    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Any]
    if style == "json":
        render = [
            structlog.processors.format_exc_info,
            _mask_event,
            structlog.processors.JSONRenderer(),
        ]
    else:
        render = [
            structlog.processors.format_exc_info,
            _mask_event,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel("WARNING")


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
