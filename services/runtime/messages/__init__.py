"""The way in: what is delivered, retried or waits is decided once, and answered."""
