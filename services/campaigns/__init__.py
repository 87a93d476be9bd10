"""The campaigns service: campaigns, their processes, and the part of a cancel that stops them."""
