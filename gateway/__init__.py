"""The gateway: the process that receives Meta's webhooks, answers buyers and sends messages."""
