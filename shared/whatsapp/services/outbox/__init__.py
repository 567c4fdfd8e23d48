"""The queue of messages to buyers: queueing, claiming, results and delivery statuses."""
