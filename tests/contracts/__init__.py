"""Tests of the messages that cross a boundary."""
