"""Orders, payment proofs, the review of proofs, and exports."""
