"""WSGI application: `gunicorn backoffice.wsgi:application`.

With `--logger-class backoffice.gunicorn_logging.GunicornLogger` its main process logs in the same
format as its workers.
"""

import os
import sys
from typing import Final

from django.core.wsgi import get_wsgi_application

from backoffice.gunicorn_logging import send_errors_to_root_logger
from shared.core.config import get_settings
from shared.core.config_errors import ConfigurationError
from shared.core.fast_exit import skip_garbage_at_exit

_APP_LOAD_ERROR: Final = 4
"""Exit code at which gunicorn stops; after any other it restarts the worker."""

skip_garbage_at_exit()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
try:
    application = get_wsgi_application()
except ConfigurationError as error:
    sys.stderr.write(f"{error}\n")
    sys.stderr.flush()
    raise SystemExit(_APP_LOAD_ERROR) from None

send_errors_to_root_logger(level=get_settings().log_level)  # for a start without the logger class
