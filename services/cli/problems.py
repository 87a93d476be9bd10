"""What a person is told when a command cannot do its work, and the exit code that goes with it."""

import sys
from collections.abc import Callable

USAGE = 64
UNAVAILABLE = 69
TRY_AGAIN = 75
MISCONFIGURED = 78
INTERRUPTED = 130


class Problem(Exception):
    """Something a person can put right; the message says what happened and what to do."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """exit_code is that of the command."""
        super().__init__(message)
        self.exit_code = exit_code


def guarded(work: Callable[[], int | None]) -> int:
    """Do the work of a command and give its exit code; what can be explained is one sentence."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        problem = explain(error)
        if problem is None:
            raise
        print(f"relais: {problem}", file=sys.stderr)
        return problem.exit_code


def explain(error: BaseException) -> Problem | None:
    """An error as a sentence for a person; None where only a traceback helps."""
    if isinstance(error, Problem):
        return error
    # Imported here, where all is lost already, so that no command starts slower for it.
    from services.runtime.migrate import MigrationError
    from services.runtime.settings import ConfigurationError
    from services.runtime.topology import TopologyError

    if isinstance(error, ConfigurationError):
        return Problem(str(error), MISCONFIGURED)
    if isinstance(error, MigrationError | TopologyError):
        return Problem(str(error), UNAVAILABLE)
    return _of_database(error) or _of_broker(error) or _of_network(error)


def _of_database(error: BaseException) -> Problem | None:
    import asyncpg

    match error:
        case asyncpg.InvalidCatalogNameError():
            return Problem(f"{error}; create it, and run `relais setup`", UNAVAILABLE)
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            text = (
                f"Postgres does not let us in: {error}; check the user and the password of its URL"
            )
            return Problem(text, MISCONFIGURED)
        case asyncpg.UndefinedTableError():
            return Problem(f"{error}; run `relais setup`", UNAVAILABLE)
        case asyncpg.InsufficientPrivilegeError():
            return Problem(f"Postgres refuses it: {error}; use a role with that right", UNAVAILABLE)
        case _:
            return None


def _of_broker(error: BaseException) -> Problem | None:
    from aiormq.exceptions import (
        AMQPConnectionError,
        AuthenticationError,
        ChannelAccessRefused,
        ChannelNotFoundEntity,
        ProbableAuthenticationError,
    )

    match error:
        case AuthenticationError() | ProbableAuthenticationError():
            text = "RabbitMQ does not let us in; check the user and the password of RELAIS_AMQP_URL"
            return Problem(text, MISCONFIGURED)
        case ChannelAccessRefused():
            return Problem(f"RabbitMQ refuses it: {error}; use a user with that right", UNAVAILABLE)
        case ChannelNotFoundEntity():
            return Problem(f"RabbitMQ lacks something: {error}; run `relais setup`", UNAVAILABLE)
        case AMQPConnectionError():
            text = f"no RabbitMQ answers ({error}); start it, or correct RELAIS_AMQP_URL"
            return Problem(text, UNAVAILABLE)
        case _:
            return None


def _of_network(error: BaseException) -> Problem | None:
    if not isinstance(error, OSError | TimeoutError):
        return None
    if isinstance(error, FileNotFoundError | PermissionError):
        return None
    if type(error) is ConnectionError and str(error):
        return Problem(f"{error}; is the stack up?", UNAVAILABLE)
    return Problem(f"no answer: {error or 'timed out'}; is the server up?", UNAVAILABLE)
