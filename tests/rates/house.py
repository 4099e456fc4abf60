"""Gateways on one database, each limit with an account and a key of its own, and what became of its requests."""

import asyncio
import contextlib
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.rates import Measure
from packages.server.tests.redis_server import OwnRedis, own_redis
from tests.conftest import ROOT
from tests.hosts.house import SHARED
from tests.kills.gateway import SERVER, Life, Stage, fresh_key, stage
from tests.rates.asking import Told, ask_all
from tests.rates.trials import LEAST_USABLE, MODELS, Trial
from tests.rates.windows import most_at_once

SETTLED_SECONDS = 3.0
"""Until gateways and a bank that began with them know each other."""
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.5
ADMITTED = "SELECT request_id, at FROM holds WHERE state = 'settled'"
MICROSECONDS = 1_000_000
PROJECT = "shop"
HOLDERS = {Measure.REQUESTS: (), Measure.TOKENS: ("--project", PROJECT)}
"""Of whom the operator says the limit; that of places is the key's own."""


@dataclass(frozen=True, slots=True)
class Served:
    """One request by three books: admitted by the gateway, come to the provider and over there. Seconds since 1970."""

    admitted: float
    began: float
    ended: float
    tokens: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial. Redis died at `killed`, in seconds since 1970."""

    told: Mapping[Measure, Told]
    served: Mapping[Measure, list[Served]]
    strays: Mapping[Measure, int]
    """Calls at the provider that no client's answer stands for."""
    killed: float | None


def tried(data: Path, database: str, trial: Trial) -> Tried:
    """Start everything, let clients ask, stop the gateways, and read the books. `database`: a URL; SQLite without."""
    with stage(data / "first", database=database, busy=False) as first, contextlib.ExitStack() as running:
        settings, redis = {"WORKERS": str(trial.workers), **SHARED}, None
        if trial.shared:
            redis = running.enter_context(own_redis(data))
            settings["REDIS_URL"] = redis.url
        where = replace(first, settings=settings)
        owners = _limited_owners(where, trial)
        with contextlib.ExitStack() as gateways:
            hosts = [
                where.beside(data / f"host{number}") if number else where.beside() for number in range(trial.hosts)
            ]
            lives = [gateways.enter_context(Life(host)) for host in hosts]
            assert all(asyncio.run(life.ready()) for life in lives)
            keys = _keys(lives[0].stage.base_url, owners, trial)
            time.sleep(SETTLED_SECONDS)
            told, killed = asyncio.run(_load(hosts, keys, trial, redis))
        served, strays = _served(where, told)
        return Tried(told, served, strays, killed)


def _limited_owners(where: Stage, trial: Trial) -> Mapping[Measure, str]:
    """A key of each account; the operator limits one account and one project."""
    owners = {}
    for measure, allowed in trial.allowed.items():
        whose = ("--email", f"{measure}@example.com")
        owners[measure] = json.loads(_admin(where, "create-user", *whose, "--credit", "1000", "--json"))["api_key"]
        holder = HOLDERS.get(measure)
        if holder is not None:
            _admin(where, "set-rates", *whose, *holder, f"--{measure}", str(allowed))
    return owners


def _admin(where: Stage, *arguments: str) -> bytes:
    command = [*SERVER, "admin", *arguments]
    return subprocess.run(command, env=where.environment(), cwd=ROOT, check=True, capture_output=True).stdout


def _keys(door: str, owners: Mapping[Measure, str], trial: Trial) -> Mapping[Measure, str]:
    """One that its account limits, one that its project limits, and one that is limited itself."""
    wishes: dict[Measure, dict[str, Any]] = {measure: {} for measure in owners}
    for measure, allowed in trial.allowed.items():
        if measure is Measure.TOKENS:
            wishes[measure]["project_id"] = PROJECT
        elif measure is Measure.CONCURRENCY:
            wishes[measure]["rate"] = {"requests": 1_000_000, "concurrency": allowed}
    return {measure: fresh_key(door, owner, **wishes[measure]) for measure, owner in owners.items()}


async def _load(
    hosts: list[Stage], keys: Mapping[Measure, str], trial: Trial, redis: OwnRedis | None
) -> tuple[Mapping[Measure, Told], float | None]:
    """What clients were told, and when Redis died."""
    told, over = {measure: Told() for measure in keys}, asyncio.Event()
    doors = [host.base_url for host in hosts]
    killed, rest = None, trial.seconds
    asking = asyncio.create_task(ask_all(doors, keys, trial.clients, told, over))
    if redis is not None and trial.killed_after is not None:
        await asyncio.sleep(trial.killed_after)
        await _until_used(hosts[0], told, trial)
        redis.kill()
        killed, rest = time.time(), trial.seconds - trial.killed_after
    await asyncio.sleep(rest)
    over.set()
    await asking
    return told, killed


async def _until_used(where: Stage, told: Mapping[Measure, Told], trial: Trial) -> None:
    """A machine that has other things to do takes longer until every limit was once used up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            for measure, most in trial.allowed.items():
                while await _granted(where, told[measure], measure) < LEAST_USABLE * most:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(LOOK_SECONDS)


async def _granted(where: Stage, told: Told, measure: Measure) -> int:
    """What was granted until now; places are the provider's to count."""
    if measure is not Measure.CONCURRENCY:
        return told.granted(measure)
    calls: list[Mapping[str, Any]] = (await asyncio.to_thread(where.tally))["requests"]
    return most_at_once([_span(call) for call in calls if call["model"] == _asked(measure)])


def _served(where: Stage, told: Mapping[Measure, Told]) -> tuple[Mapping[Measure, list[Served]], Mapping[Measure, int]]:
    """Set the answers beside the gateway's books and the provider's; calls there beyond them."""
    admitted = dict(where.read(ADMITTED))
    tally: list[dict[str, Any]] = where.tally()["requests"]
    calls = {call["answer_id"]: call for call in tally}
    served: dict[Measure, list[Served]] = {}
    strays: dict[Measure, int] = {}
    for measure, heard in told.items():
        model = _asked(measure)
        served[measure] = [_one(admitted[each.request_id], calls[each.answer_id]) for each in heard.answers]
        strays[measure] = sum(call["model"] == model for call in tally) - len(heard.answers)
    return served, strays


def _one(admitted: int, call: Mapping[str, Any]) -> Served:
    began, ended = _span(call)
    usage = call["usage"]
    tokens = sum(usage[name] for name in ("uncached", "cache_read", "cache_write_5m", "output", "reasoning"))
    return Served(admitted / MICROSECONDS, began, ended, tokens)


def _span(call: Mapping[str, Any]) -> tuple[float, float]:
    """When a call came to the provider and when it was over there: seconds since 1970."""
    began, ended = (datetime.fromisoformat(call[name]).timestamp() for name in ("began", "at"))
    return began, ended


def _asked(measure: Measure) -> str:
    """The model that the callers of a limit ask, as the provider calls it."""
    return MODELS[measure].partition("/")[2]
