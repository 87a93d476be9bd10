"""The directory service: its rules, and its handlers on a real database."""
