"""The runtime, tried with a small service of its own."""
