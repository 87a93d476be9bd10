"""The notifications service: who is notified of what, once, and how each notice ends."""
