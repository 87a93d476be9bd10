"""Tests of the HTTP API of tracking."""
