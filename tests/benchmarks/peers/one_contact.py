"""The gateway with one transaction per contact: every contact takes the path of a single one."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from gateway.workers.inbox import InboxWorker
    from shared.conversation.answering.batch_results import BatchResult


def build_app() -> "Starlette":
    """Build the gateway of this checkout without its way of answering many buyers at once."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
    django.setup()
    from gateway import app
    from gateway.workers.inbox import InboxWorker
    from shared.core import config

    InboxWorker._answer_batch = _leave_to_single_path  # type: ignore[assignment, method-assign]
    return app.build_app(config.get_settings())


async def _leave_to_single_path(_: "InboxWorker", contact_ids: Sequence[int]) -> "BatchResult":
    from shared.conversation.answering.batch_results import BatchResult

    return BatchResult(left=tuple(contact_ids))
