"""Faults: what happens when servers, connections and workers fail."""
