"""Events, deliveries, endpoints and API tokens as staff manage them."""
