"""E-mails to staff: a digest of proofs that wait, draws that are due, and alarms."""
