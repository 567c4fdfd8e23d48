"""`python -m deploy.demo` fills the demo's database; input and output are JSON.

It is a separate process because Django reads its settings once per process.
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
