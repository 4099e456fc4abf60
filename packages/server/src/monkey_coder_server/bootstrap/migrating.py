"""Migrations before a gateway serves, in a process of their own: Alembic's 11 MiB go with it when it ends."""

import multiprocessing
from contextlib import suppress

from monkey_coder_server.adapters.storage import migrate


def upgrade_apart(url: str) -> None:
    """Bring a database that is behind to the newest revision, before there are threads and anybody is served.

    What goes wrong is not told here: whoever opens the database afterwards meets it again.
    """
    with suppress(Exception):
        if migrate.current(url) == migrate.HEAD:
            return
    process = multiprocessing.get_context("fork").Process(target=_upgrade, args=(url,))
    process.start()
    process.join()


def _upgrade(url: str) -> None:
    with suppress(Exception):
        migrate.upgrade(url)
