"""pywa's own webhook server, the usual library for WhatsApp in Python, on Starlette.

It checks the signature, answers, and only then hands the message to a handler, in memory: nothing
is stored, and what was answered is lost if the process ends.
"""

import os

from pywa_async import WhatsApp
from starlette.applications import Starlette


def build() -> Starlette:
    """Build the server with one handler of messages that does nothing."""
    server = Starlette()
    client = WhatsApp(
        phone_id=os.environ["META_PHONE_NUMBER_ID"],
        token=os.environ["META_ACCESS_TOKEN"],
        server=server,
        webhook_endpoint="/webhook",
        verify_token=os.environ["META_VERIFY_TOKEN"],
        app_secret=os.environ["META_APP_SECRET"],
    )

    client.on_message()(_ignore_message)
    return server


async def _ignore_message(_client: WhatsApp, _message: object) -> None:
    """Do nothing."""
