"""Settings of the tests, with their own environment: pytest and mypy run with an empty one."""

import os
import tempfile
from pathlib import Path

_folder = (
    Path(tempfile.gettempdir())
    / "rafflebot-tests"
    / os.environ.get("PYTEST_XDIST_TESTRUNUID", "here")
)

os.environ.update(
    DATABASE_URL=f"sqlite:///{_folder}/tests.sqlite3",
    DJANGO_SECRET_KEY="only-for-tests-" + "x" * 40,
    DJANGO_DEBUG="false",
    PUBLIC_URL="http://127.0.0.1:8000",
    META_APP_SECRET="test_app_secret",
    META_VERIFY_TOKEN="test_verify_token",
    META_ACCESS_TOKEN="test_access_token",
    META_PHONE_NUMBER_ID="106540352242922,2",
    META_WABA_ID="102290129340398",
    META_GRAPH_URL="http://127.0.0.1:1",
    MEDIA_ROOT=str(_folder / "media"),
    LOG_LEVEL="WARNING",
)

from backoffice.settings import *

API_REQUESTS_PER_MINUTE = 0  # tests send requests faster than any client

# Real hashers are slow on purpose; no test depends on that.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
