"""Signals of the channel: messages that failed and new alarms.

They are sent with `Signal.send` inside the transaction that records the failure or the alarm, so
an error of a receiver rolls it back.
"""

from typing import Final

from django.dispatch import Signal

message_failed: Final = Signal()
"""A message failed and does not reach its buyer unless somebody sends it again.

Sent with `sender=OutboundMessage`, `message` (its `error` says why) and `now`.
"""

alarm_sounded: Final = Signal()
"""An alarm was opened; the same alarm sends no signal again while it is open.

Sent with `sender=Alarm`, `alarm` and `now`.
"""
