"""The back office's settings with the test run's static files and a fast password hasher."""

import os
from pathlib import Path

from backoffice.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["TEST_STATIC_FOLDER"])
WHITENOISE_USE_FINDERS = False

# Real hashers are slow on purpose; no test depends on that.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
