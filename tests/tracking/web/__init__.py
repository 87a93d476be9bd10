"""The HTTP API of tracking."""
