"""The transaction of a peer on psycopg: one connection a thread, all statements in one pipeline."""

import threading

import psycopg

from tests.bench.peers.effect import POSTGRES_URL, effect, positional

_local = threading.local()


def handle(body: bytes) -> None:
    """Do the transaction of one message."""
    conn = _connection()
    with conn.pipeline(), conn.transaction():
        for statement, values in effect(body):
            conn.execute(positional(statement), values, prepare=True)


def _connection() -> "psycopg.Connection":
    conn: psycopg.Connection | None = getattr(_local, "conn", None)
    if conn is None:
        conn = _local.conn = psycopg.connect(POSTGRES_URL, autocommit=True)
    return conn
