"""What other systems are told: events, the endpoints that want them, and their deliveries."""
