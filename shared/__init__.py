"""What both processes have in common: the domain, the channel, the conversation."""
