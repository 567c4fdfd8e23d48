"""The review queue and the page where a payment proof is judged."""
