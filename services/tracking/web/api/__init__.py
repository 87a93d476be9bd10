"""The HTTP API: one module for each kind of thing, each with a router."""
