"""The domain, the channel, the conversation and the use cases, shared by both processes."""
