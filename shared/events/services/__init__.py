"""Services that record, sequence and deliver events."""
