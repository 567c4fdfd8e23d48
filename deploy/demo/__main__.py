"""Fills a demo: `python -m deploy.demo`; reads what is wanted, writes what is there (JSON).

A process of its own, because Django reads its settings once a process.
"""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime

import django

django.setup()

from deploy.demo import seed  # noqa: E402 - models exist only after the set-up

wanted = json.load(sys.stdin)
print(json.dumps(asdict(seed.seed_database(**wanted, now=datetime.now(tz=UTC)))))
