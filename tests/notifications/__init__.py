"""The notifications service: who is told of what, once, and what becomes of it."""
