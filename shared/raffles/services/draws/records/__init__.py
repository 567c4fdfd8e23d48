"""The record of a draw: public files that anyone can verify, and the operator's own."""
