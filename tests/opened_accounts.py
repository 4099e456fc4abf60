"""Accounts opened before a gateway starts, as `admin create-user` opens them, without a process for each."""

import asyncio
from collections.abc import Mapping

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import load


def open_accounts(environment: Mapping[str, str], credit: Mapping[str, str]) -> dict[str, operator.CreatedUser]:
    """By their names, accounts with so much credit (USD) of people whose addresses are their names at example.com."""
    return asyncio.run(_opened(environment, credit))


async def _opened(environment: Mapping[str, str], credit: Mapping[str, str]) -> dict[str, operator.CreatedUser]:
    async with open_books(load(environment)) as books:
        return {
            name: await operator.create_user(
                books.accounts, email=f"{name}@example.com", password=None, credit=parse_usd(usd), plan=None
            )
            for name, usd in credit.items()
        }
