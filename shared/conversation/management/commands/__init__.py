"""Commands of the conversation."""
