"""What others may listen to: messages that failed and troubles that began.

Sent by `Signal.send` inside the transaction that notes it, so that an error of a listener undoes
it.
"""

from typing import Final

from django.dispatch import Signal

message_failed: Final = Signal()
"""A message will not reach its buyer unless a person sends it again.

Sent with `sender=OutboundMessage`, `message` (its `error` says why) and `now`.
"""

alarm_sounded: Final = Signal()
"""A trouble began that a person must look at; while it lasts, it is not told again.

Sent with `sender=Alarm`, `alarm` and `now`.
"""
