"""Events for other systems, the endpoints that receive them, and their deliveries."""
