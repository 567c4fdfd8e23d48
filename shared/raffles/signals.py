"""Signals about changed raffles and orders, and stored payment proofs.

They are sent with `Signal.send` inside the transaction of the change, so an error in a receiver
rolls the change back. Receivers must not change orders.
"""

from typing import Final

from django.dispatch import Signal

order_changed: Final = Signal(use_caching=True)
"""An order's history got a new entry, and all that changed with it is written.

Sent with `sender=Order`, `order` (locked), `action` (an `OrderAction`), `by` (an `Actor`),
`reason` (text, may be empty) and `now`.
"""

raffle_changed: Final = Signal(use_caching=True)
"""A raffle's history got a new entry: its status or its draw date changed.

Sent with `sender=Raffle`, `raffle` (locked), `event` (the `RaffleEvent`), `by` (an `Actor`) and
`now`.
"""

proof_kept: Final = Signal(use_caching=True)
"""A payment proof has both its file and an order: it was just fetched, or just assigned.

Sent with `sender=PaymentProof`, `proof`, `order` and `now`.
"""
