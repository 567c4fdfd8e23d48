"""Signals of the channel: messages that failed, new alarms, and buyers who wait for a person.

They are sent with `Signal.send` inside the transaction that records it, so an error of a receiver
rolls it back.
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

person_wanted: Final = Signal()
"""A buyer waits for a person from now on; while they wait, no other signal is sent.

Sent with `sender=WhatsAppContact`, `contact` (locked) and `now`.
"""
