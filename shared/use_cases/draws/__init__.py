"""Use cases around the result of a draw: winners and other buyers are told."""
