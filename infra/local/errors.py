"""What can go wrong here in a way that a person can put right."""


class Unavailable(Exception):
    """Something this needs is not there; the message says what, and how to get it."""

    exit_code = 69


class Misconfigured(Exception):
    """A setting holds a value that means nothing here; the message says what would be accepted."""

    exit_code = 78


class PortTaken(Unavailable):
    """Another process took a port between our look and our server's start."""
