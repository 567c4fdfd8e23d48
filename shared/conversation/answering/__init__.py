"""The path of a message: from the messages that wait in the inbox to the answers in the outbox."""
