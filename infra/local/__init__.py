"""A private broker and database, and a whole stack, on a machine without Docker."""
