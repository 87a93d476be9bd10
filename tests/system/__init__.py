"""Tests of a whole stack on a real broker and a real database."""
