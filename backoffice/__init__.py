"""The process that talks to people and programs: the seller's admin and the API."""
