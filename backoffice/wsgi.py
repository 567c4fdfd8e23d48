"""WSGI application: `gunicorn backoffice.wsgi:application`."""

import os
import sys
from typing import Final

from django.core.wsgi import get_wsgi_application

from shared.core.config import ConfigurationError

_APP_LOAD_ERROR: Final = 4
"""Exit code at which gunicorn stops; after any other it restarts the worker."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
try:
    application = get_wsgi_application()
except ConfigurationError as error:
    sys.stderr.write(f"{error}\n")
    sys.stderr.flush()
    raise SystemExit(_APP_LOAD_ERROR) from None
