"""The orders service: which entity took which package, and what became of it."""
