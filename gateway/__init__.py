"""The process that talks to Meta: it receives webhooks, answers buyers and sends messages."""
