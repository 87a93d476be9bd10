"""Errors of the servers and of the settings, explained to the person at the command line."""

import os
import select
import sys
from collections.abc import Callable

from services.cli.problems import INTERRUPTED, MISCONFIGURED, UNAVAILABLE, Problem


def guarded(work: Callable[[], int | None]) -> int:
    """Do the work of a command and return its exit code; print an error that can be explained."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        problem = None if is_unread(error) else explain(error)
        if problem is None:
            raise
        print(f"relais: {problem}", file=sys.stderr)
        return problem.exit_code


def is_unread(error: BaseException) -> bool:
    """Whether an error only means that nobody reads our output any more, as behind `| head`."""
    if not isinstance(error, BrokenPipeError):
        return False
    output = select.poll()
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            output.register(stream.fileno(), 0)
    return bool(output.poll(0))


def explain(error: BaseException) -> Problem | None:
    """An error as a problem with a message; None where only a traceback helps."""
    if isinstance(error, Problem):
        return error
    # Imported here, after the failure, so that no command starts slower for it.
    from services.runtime.amqp.topology import TopologyError
    from services.runtime.postgres.migrate import MigrationError
    from services.runtime.settings import ConfigurationError

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
                f"Postgres refuses the login: {error}; check the user and the password of its URL"
            )
            return Problem(text, MISCONFIGURED)
        case asyncpg.ClientConfigurationError():
            return Problem(
                f"the URL of a database is not valid: {error}; correct it", MISCONFIGURED
            )
        case asyncpg.UndefinedTableError():
            return Problem(f"{error}; run `relais setup`", UNAVAILABLE)
        case asyncpg.InsufficientPrivilegeError():
            return Problem(f"Postgres refuses it: {error}; use a role with that right", UNAVAILABLE)
        case asyncpg.PostgresConnectionError() | asyncpg.OperatorInterventionError():
            return Problem(f"Postgres has ended the connection: {error}; try again", UNAVAILABLE)
        case asyncpg.InterfaceError() if "closed" in str(error):
            return Problem("the connection to Postgres is lost; is the stack up?", UNAVAILABLE)
        case _:
            return None


def _of_broker(error: BaseException) -> Problem | None:
    from aiormq.exceptions import (
        AMQPConnectionError,
        AuthenticationError,
        ChannelAccessRefused,
        ChannelNotFoundEntity,
        InvalidFrameError,
        ProbableAuthenticationError,
    )

    match error:
        case AuthenticationError() | ProbableAuthenticationError():
            text = "RabbitMQ refuses the login; check the user and the password of RELAIS_AMQP_URL"
            return Problem(text, MISCONFIGURED)
        case InvalidFrameError():
            text = (
                "RabbitMQ closes the connection at once: the virtual host of RELAIS_AMQP_URL is "
                "not there, or its user may not use it, or the limit of connections is reached; "
                "correct the last part of the URL, or see the log of RabbitMQ"
            )
            return Problem(text, MISCONFIGURED)
        case ChannelAccessRefused():
            return Problem(f"RabbitMQ refuses it: {error}; use a user with that right", UNAVAILABLE)
        case ChannelNotFoundEntity():
            return Problem(f"RabbitMQ lacks something: {error}; run `relais setup`", UNAVAILABLE)
        case AMQPConnectionError():
            text = (
                f"no RabbitMQ answers ({error}); start it, or correct {_where('RELAIS_AMQP_URL')}"
            )
            return Problem(text, UNAVAILABLE)
        case _:
            return None


def _of_network(error: BaseException) -> Problem | None:
    from contracts.client import NoBroker
    from services.runtime.amqp import broker
    from services.runtime.postgres import database

    match error:
        case NoBroker() | broker.Unavailable():
            explained = _of_broker(error.__cause__) if error.__cause__ else None
            if explained is not None and explained.exit_code == MISCONFIGURED:
                return explained
            text = f"{error}; start it, or correct {_where('RELAIS_AMQP_URL')}"
        case database.Unavailable():
            text = f"{error}; start it, or correct {_where('RELAIS_..._POSTGRES_URL')}"
        case FileNotFoundError() | PermissionError():
            return None
        case OSError():
            # Whoever raised it does not say which server it is about, so nobody is blamed.
            text = f"no answer, or none that makes sense: {type(error).__name__} {error}".rstrip()
        case _:
            return None
    return Problem(text, UNAVAILABLE)


def _where(variable: str) -> str:
    """What names the servers: the environment, or the file that ./run up wrote."""
    from services.cli import endpoints

    ours = (name for name in os.environ if name.startswith("RELAIS_"))
    given = any("AMQP_URL" in name or "POSTGRES_URL" in name for name in ours)
    return variable if given else f"{endpoints.WRITTEN} with ./run down and ./run up"
