"""Background workers of the gateway: answer, send, fetch proofs, expire orders, deliver events."""
