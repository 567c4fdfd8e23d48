"""Fills a demo's database: `python -m deploy.demo`, a login on stdin, what it made on stdout.

A process of its own, because Django reads its settings once a process.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import django

django.setup()

from deploy.demo import seed  # noqa: E402 - models exist only after the set-up

login = json.load(sys.stdin)
seeded = seed.seed(username=login["username"], password=login["password"], now=datetime.now(tz=UTC))
print(json.dumps(asdict(seeded)))
