"""gunicorn's error log in the format of all other logs, with the same parts masked.

Used with `gunicorn backoffice.wsgi:application --logger-class
backoffice.gunicorn_logging.GunicornLogger`. gunicorn's own log names the whole URL of a request
that failed, with its query.
"""

import logging
from typing import Any, override

from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from shared.core import logs
from shared.core.config import Settings
from shared.core.config_errors import ConfigurationError


class GunicornLogger(Logger):  # type: ignore[misc]
    """Logger whose lines go through the root logger, in the main process and in the workers."""

    @override
    def setup(self, cfg: Any) -> None:
        """Configure the logs at the start and at each reload; a log file of its own stays."""
        super().setup(cfg)
        if cfg.logconfig or cfg.logconfig_dict or cfg.logconfig_json:
            return
        style, level = _read_configuration()
        logs.configure_logging(style=style, level=level)
        send_errors_to_root_logger(level=level)


def send_errors_to_root_logger(*, level: str) -> None:
    """Pass gunicorn's error log to the root logger, unless it is written to a file.

    Args:
        level: the lowest level that is logged, such as `INFO`.

    """
    logger = logging.getLogger("gunicorn.error")
    own = [
        handler
        for handler in logger.handlers
        if type(handler) is logging.StreamHandler and getattr(handler, "_gunicorn", False)
    ]
    if not own:
        return
    for handler in own:
        logger.removeHandler(handler)
    logger.setLevel(max(logger.level, logging.getLevelNamesMapping()[level]))
    logger.propagate = True


def _read_configuration() -> tuple[str, str]:
    """Return the style and the level of the logs; a worker tells what is wrong with the others."""
    try:
        settings = Settings.from_environment()
    except ConfigurationError:
        return "console", "INFO"
    return settings.log_format, settings.log_level
