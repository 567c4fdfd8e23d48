"""Pages of one buyer: the contact, joins of two contacts, and the erasure of personal data."""
