"""Fixed numbers, each with its reason."""

from datetime import timedelta
from typing import Final

MAX_NUMBERS_PER_RAFFLE: Final = 1_000_000
"""More than any seller asked for; creation, counts and maps are measured up to it."""

DEFAULT_HOLD_MINUTES: Final = 30
"""Long enough for a bank transfer on a phone, short enough to give numbers back soon."""

MAX_NOTE_LENGTH: Final = 500
"""Characters of a note or reason that staff write; buyers read most of them in a message."""

DEADLINE_GRACE: Final = timedelta(minutes=2)
"""Hidden from the buyer: a receipt sent in the last second still counts while it is under way."""

STALE_AFTER: Final = timedelta(minutes=15)
"""After an outage, older messages are not acted upon as if they were new."""

SERVICE_WINDOW: Final = timedelta(hours=24)
"""Meta's customer-service window: free-form messages only until then after the buyer's last one."""

SERVICE_WINDOW_MARGIN: Final = timedelta(minutes=10)
"""Clocks differ and sends take time; inside the last minutes the window counts as closed."""

ALBUM_WINDOW: Final = timedelta(minutes=1)
"""An album arrives as single pictures without a common id; one acknowledgement is enough."""

MAX_INBOX_ATTEMPTS: Final = 5
"""A message that fails this often by itself is given up, with an alarm and an apology."""

ANSWER_CPU_SECONDS: Final = 10.0
"""Processor time that answering one message may take; it takes some hundredths of a second."""

LEFT_OVER_AFTER: Final = timedelta(minutes=1)
"""A message that waits for longer may have ended a gateway: its next try is counted first."""

UNKNOWN_SEND_WAIT: Final = timedelta(seconds=90)
"""How long the status webhook of a send without an answer is waited for before it is sent again."""

MAX_UNKNOWN_RESENDS: Final = 2
"""How often a send whose fate stays unknown is repeated: once too few beats thrice too many."""

WEBHOOK_BODY_LIMIT: Final = 3 * 1024 * 1024
"""Meta's own maximum for a webhook body, in bytes."""

MEDIA_LIMIT: Final = 16 * 1024 * 1024
"""The largest payment proof that is fetched, in bytes; a photo is at most 5 MB on WhatsApp."""

EXPIRIES_BEFORE_COOL_DOWN: Final = 3
"""So many holds in a row that ran out unpaid make a buyer wait before the next."""

COOL_DOWN: Final = timedelta(minutes=30)
"""How long they wait: as long as one more hold would have kept the numbers from others."""
