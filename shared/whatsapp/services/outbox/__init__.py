"""Messages to buyers: queued, claimed, sent and settled."""
