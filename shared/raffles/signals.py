"""What others may listen to: orders that changed and proofs that are here.

Sent by `Signal.send` inside the transaction of the change, so that an error of a listener undoes
it; a listener must not change orders.
"""

from typing import Final

from django.dispatch import Signal

order_changed: Final = Signal(use_caching=True)
"""An order's history got another line, and all that changed with it is written.

Sent with `sender=Order`, `order` (locked), `action` (an `OrderAction`), `by` (an `Actor`),
`reason` (words, may be empty) and `now`.
"""

proof_kept: Final = Signal(use_caching=True)
"""A payment proof of an order has its file: fetched just now, or put to the order just now.

Sent with `sender=PaymentProof`, `proof`, `order` and `now`.
"""
