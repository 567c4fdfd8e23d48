"""Signals of the use cases, sent inside their transactions."""

from typing import Final

from django.dispatch import Signal

buyer_erased: Final = Signal()
"""Personal data of a buyer was erased: arguments `erased` (`buyer_erasure.ErasedBuyer`), `now`."""

logs_expired: Final = Signal()
"""Logs are to be deleted by their age: arguments `before` and `now`."""
