"""The back office's own settings, with static files of the test and passwords hashed at once."""

import os
from pathlib import Path

from backoffice.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["TEST_STATIC_FOLDER"])
WHITENOISE_USE_FINDERS = False

# Real ones are slow on purpose, which no test is about.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
