"""The WhatsApp channel: receiving, storing and sending messages, independent of raffles."""
