"""Storage of incoming webhooks, matching of contacts, and the queue of unanswered messages."""
