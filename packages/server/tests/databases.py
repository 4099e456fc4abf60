"""Databases for tests: each test has one of its own, copied from a migrated template, and drops it."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from monkey_coder_server.adapters.storage import migrate
from tools.postgresql import Cluster

_numbers = itertools.count()


@contextmanager
def new_database(cluster: Cluster, template: str = "template1") -> Iterator[str]:
    """The URL of a database that is there for the block."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield cluster.database(name)
    finally:
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def migrated_template(cluster: Cluster) -> Iterator[str]:
    """The name of a database of this worker that has all tables and nothing in them."""
    with new_database(cluster) as url:
        migrate.upgrade(url)
        yield url.rpartition("/")[2]
