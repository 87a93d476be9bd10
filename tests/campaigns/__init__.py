"""The campaigns service: its rules, and its handlers and sweeps on a real database."""
