"""The chat: the meaning of messages and the replies to buyers."""
