"""Gateways that share one set of books, and cases that are tried on them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.money import usd
from tests.exactness.asking import Answers, ask_all
from tests.exactness.cases import BALANCE, Case, Outcome
from tests.kills.gateway import Life, Stage, fresh_key, stage

LAUNCHER = "tests.exactness.launcher"


def tried(
    data: Path, database: str, processes: int, cases: Sequence[Case]
) -> tuple[Sequence[Outcome], Mapping[str, Any]]:
    """Try the cases one after another on so many gateways, stop them, and read their books; `ledger verify` besides."""
    with stage(data, database=database, busy=False) as where:
        with ExitStack() as running:
            lives = [running.enter_context(Life(where.beside(), LAUNCHER)) for _ in range(processes)]
            assert all(asyncio.run(life.ready()) for life in lives)
            base_urls = [life.stage.base_url for life in lives]
            asked = [_ask(where, base_urls, case, number) for number, case in enumerate(cases)]
        outcomes = [_outcome(where, case, *told) for case, told in zip(cases, asked, strict=True)]
        return outcomes, where.admin("ledger", "verify")


def _ask(where: Stage, base_urls: Sequence[str], case: Case, number: int) -> tuple[str, Answers]:
    """Ask with an account and a key of its own."""
    credit = usd(case.amount if case.limit == BALANCE else 2 * case.amount)
    made = where.admin("create-user", "--email", f"owner-{number}@example.com", "--credit", credit)
    caps = {} if case.limit == BALANCE else {"caps": {"total_usd": usd(case.amount)}}
    key = fresh_key(base_urls[0], made["api_key"], **caps)
    return made["account_id"], asyncio.run(ask_all(base_urls, key, case, seed=number))


def _outcome(where: Stage, case: Case, account_id: str, answers: Answers) -> Outcome:
    """What the books say. Of a capped key's account, half of the credit is never to be used."""
    [(balance, held)] = where.read(f"SELECT balance, held FROM wallets WHERE account_id = '{account_id}'")  # noqa: S608 - our own id
    [(spent,)] = where.read(f"SELECT SUM(charged) FROM holds WHERE account_id = '{account_id}'")  # noqa: S608 - our own id
    left = balance - held - (0 if case.limit == BALANCE else case.amount)
    return Outcome(case, answers.granted, answers.cost, answers.others, int(spent), left, answers.seconds)
