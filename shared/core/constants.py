"""Constants of the product, each with its reason."""

from datetime import timedelta
from typing import Final

MAX_NUMBERS_PER_RAFFLE: Final = 1_000_000
"""Enough for every seller so far; creation, counts and maps are measured up to this size."""

DEFAULT_HOLD_MINUTES: Final = 30
"""Long enough for a bank transfer on a phone, short enough to give numbers back soon."""

DEFAULT_CLAIM_DAYS: Final = 30
"""Days within which winners claim their prize, unless the rules say otherwise."""

MAX_CLAIM_DAYS: Final = 365
"""The most days that the rules may give them."""

DEFAULT_RECORD_YEARS: Final = 4
"""Years for which the record of a draw names winners: Ontario asks for four, the UK for three."""

ERASED_BUYER: Final = "Erased buyer"
"""What is stored as the name of an erased buyer, so that pages, exports and the API show it."""

MAX_NOTE_LENGTH: Final = 500
"""Characters of a note or reason that staff write; buyers read most of them in a message."""

DEADLINE_GRACE: Final = timedelta(minutes=2)
"""Hidden from the buyer: a receipt sent in the last second still counts while it is under way."""

STALE_AFTER: Final = timedelta(minutes=15)
"""After an outage, older messages are not handled as if they were new."""

SERVICE_WINDOW: Final = timedelta(hours=24)
"""Meta's customer service window: free-form messages are allowed so long after the buyer's last."""

SERVICE_WINDOW_MARGIN: Final = timedelta(minutes=10)
"""Clocks differ and sends take time, so the window counts as closed in its last minutes."""

ALBUM_WINDOW: Final = timedelta(minutes=1)
"""The pictures of an album arrive as single messages without a common id, within this time."""

MAX_INBOX_ATTEMPTS: Final = 5
"""A message that fails this often is given up, with an alarm and an apology to the buyer."""

ANSWER_CPU_SECONDS: Final = 10.0
"""The most processor time for answering one message; usual are some hundredths of a second."""

LEFT_OVER_AFTER: Final = timedelta(minutes=1)
"""A message that waits longer may have ended a gateway, so its next attempt is counted first."""

UNKNOWN_SEND_WAIT: Final = timedelta(seconds=90)
"""The wait for the status webhook of a send without a response, before the message is resent."""

MAX_UNKNOWN_RESENDS: Final = 2
"""The most repetitions of a send with an unknown result: better one lost than three copies."""

WEBHOOK_BODY_LIMIT: Final = 3 * 1024 * 1024
"""The maximum size of a webhook's body, in bytes; it is Meta's own."""

MEDIA_LIMIT: Final = 16 * 1024 * 1024
"""The maximum size of a payment proof, in bytes; a photo on WhatsApp has 5 MB at most."""

EXPIRIES_BEFORE_COOL_DOWN: Final = 3
"""After this many holds in a row that expired unpaid, a buyer must wait before the next one."""

COOL_DOWN: Final = timedelta(minutes=30)
"""The wait of such a buyer: as long as another hold would have blocked the numbers."""
