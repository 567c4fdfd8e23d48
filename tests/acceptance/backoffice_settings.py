"""The back office's own settings, with a folder for static files that belongs to the test."""

import os
from pathlib import Path

from backoffice.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["TEST_STATIC_FOLDER"])
WHITENOISE_USE_FINDERS = False
