"""The control interface under `/sandbox/`, for tests and the terminal phone."""
