"""Structured logs: event names and ids, with phone numbers and queries of URLs masked.

All lines about one message carry the same correlation id.
"""

import copy
import logging
import re
import sys
from collections.abc import MutableMapping
from traceback import TracebackException
from types import TracebackType
from typing import Any, Final, override

from shared.core.hidden_modules import hide_modules

with hide_modules("rich"):  # for coloured tracebacks; ours are plain
    import structlog

_UNMASKED_KEYS: Final = frozenset(
    {"phone_number_id", "timestamp", "correlation_id", "level", "logger"}
)
_PHONE_PATTERN: Final = re.compile(r"(?<![\w.])\+?\d{8,15}(?![\w.])")
_QUERY_PATTERN: Final = re.compile(r"\?[\w.%~-]+=[^\s\"']*")
_MAX_PATH_CHARACTERS: Final = 200
_CLIENT_ERRORS: Final = range(400, 500)
_DATABASE_MODULES: Final = ("django.db.", "psycopg", "sqlite3")
_ERRORS_WITHOUT_ROWS: Final = frozenset({"OperationalError", "InterfaceError"})
"""Database errors about the connection or a lock."""


def mask_phone_numbers(text: str) -> str:
    """Return `text` with every phone number masked except its last two digits.

    "+5491122334455" becomes "***55".
    """
    return _PHONE_PATTERN.sub(lambda found: "***" + found.group()[-2:], text)


def mask_queries(text: str) -> str:
    """Return `text` with the query of every URL masked: it may hold a token or a signature.

    "GET /api/orders?token=secret" becomes "GET /api/orders?***".
    """
    return _QUERY_PATTERN.sub("?***", text)


def format_exception(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """Return a traceback, without the messages of errors that the database raised about a row.

    PostgreSQL puts the row into them, which may hold a buyer's text.

    Args:
        exc_info: type, value and traceback, as `sys.exc_info` returns them.

    """
    trace = TracebackException(*exc_info)
    _hide_rows(trace)
    return "".join(trace.format()).rstrip("\n")


def _hide_rows(trace: TracebackException) -> None:
    """Replace such messages in an exception and in those that led to it."""
    kind = trace.exc_type
    if kind.__module__.startswith(_DATABASE_MODULES):
        names = {base.__name__ for base in kind.__mro__}
        if not names & _ERRORS_WITHOUT_ROWS:
            trace._str = "(the message may hold a row)"  # type: ignore[attr-defined]  # noqa: SLF001 - no other way to change it
    for earlier in (trace.__cause__, trace.__context__, *(trace.exceptions or ())):
        if earlier is not None:
            _hide_rows(earlier)


class RequestFilter(logging.Filter):
    """Filter of what Django logs about a request: method and path in place of the request.

    A request that was rejected is a warning of one line. Django logs some as errors with a
    traceback, such as one with a foreign Host header, which anybody can send.
    """

    def __init__(self, *, level: int) -> None:
        super().__init__()
        self._level = level

    @override
    def filter(self, record: logging.LogRecord) -> logging.LogRecord | bool:
        """Return the record to be logged; False if it is below the level."""
        request = getattr(record, "request", None)
        if request is None:
            return True
        changed = copy.copy(record)
        del changed.__dict__["request"]
        if path := getattr(request, "path", None):
            escaped = path[:_MAX_PATH_CHARACTERS].encode("unicode_escape").decode("ascii")
            changed.__dict__ |= {"method": request.method, "path": escaped}
        if getattr(record, "status_code", 0) in _CLIENT_ERRORS:
            changed.exc_info = changed.exc_text = None
            changed.levelno = min(record.levelno, logging.WARNING)
            changed.levelname = logging.getLevelName(changed.levelno)
        return changed if changed.levelno >= self._level else False


def _mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in _UNMASKED_KEYS:
            event[key] = mask_phone_numbers(mask_queries(value))
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
            structlog.processors.ExceptionRenderer(format_exception),
            _mask_event,
            structlog.processors.JSONRenderer(),
        ]
    else:
        render = [
            structlog.processors.ExceptionRenderer(format_exception),
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
    handler.addFilter(RequestFilter(level=logging.getLevelNamesMapping()[level]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel("WARNING")


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
