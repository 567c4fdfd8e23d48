"""Use cases: changes of orders by staff, the API and the clock, each with a message to the buyer.

Each one is a transaction of its own, which queues the message together with the change.
"""
