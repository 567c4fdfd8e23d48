"""Payment proofs and the orders they pay: received, shared between orders, moved."""
