"""Who may ask tracking over HTTP, and within which limits."""
