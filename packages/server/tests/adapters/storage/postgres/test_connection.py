"""A server that takes connections and says nothing."""

import gc
import socket
from datetime import timedelta

import psycopg
import pytest

from monkey_coder_server.adapters.storage.postgres.connection import Server, connect
from monkey_coder_server.adapters.storage.postgres.writer import QUEUED

pytestmark = pytest.mark.system


def test_an_attempt_that_is_given_up_leaves_no_socket_open_until_the_collector_comes() -> None:
    gc.disable()
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/books?connect_timeout=2"
            with pytest.raises(psycopg.OperationalError, match="timeout expired"):
                connect(Server(address), "test")
            taken, _ = silent.accept()
            with taken:
                taken.settimeout(10)
                while taken.recv(1_024):
                    pass
    finally:
        gc.enable()


def test_who_stops_in_a_transaction_loses_its_locks_before_others_have_queued_for_too_long(
    postgresql_database: str,
) -> None:
    connection = connect(Server(postgresql_database), "test")
    [(kept,)] = connection.execute(
        "SELECT setting::int FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
    ).fetchall()
    connection.close()
    assert timedelta(0) < timedelta(milliseconds=kept) < QUEUED
