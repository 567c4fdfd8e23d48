"""The channel: receives, keeps and sends WhatsApp messages; has never heard of raffles."""
