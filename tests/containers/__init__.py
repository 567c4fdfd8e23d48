"""What the Dockerfile and compose.yaml say, for tests that run it without a container engine."""
