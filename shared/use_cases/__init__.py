"""Use cases: changes of orders by staff, the API and the clock.

Each is one transaction, which also queues the message to a buyer who has a chat.
"""
