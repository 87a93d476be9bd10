"""A problem that a person can solve, and the exit codes of the command line."""

USAGE = 64
UNAVAILABLE = 69
BUG = 70
TRY_AGAIN = 75
MISCONFIGURED = 78
INTERRUPTED = 130


class Problem(Exception):
    """An error that a person can correct; the message is what happened and what to do."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """exit_code is that of the command."""
        super().__init__(message)
        self.exit_code = exit_code
