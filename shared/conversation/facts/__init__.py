"""Facts that a step of the conversation is decided by."""
