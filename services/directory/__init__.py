"""The directory service: the local entities that packages are offered to."""
