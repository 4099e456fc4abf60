"""Mutated traffic against every codec, for as long as is asked: `make fuzz SECONDS=600`.

Seeds are the recorded answers and requests of the suite. Each round takes one, breaks it in some of the ways wires and
people break things, and gives it to a reader whole and in pieces. Whatever comes in, a reader of provider bytes raises
nothing and ends in exactly one end; a reader of requests raises `InvalidRequest` at most; neither takes long.
A finding is printed with its seed, so that `make fuzz SEED=n ROUNDS=1` shows it again.
"""

import argparse
import gzip
import json
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from monkey_coder_server.dialects.unstreamed import UnstreamedDialect
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import GatewayError, InvalidRequest
from monkey_coder_server.domain.stream_events import Event, Failed, Finished, Frame
from monkey_coder_server.ports.front import Envelope, Front, Told
from monkey_coder_server.ports.provider import Dialect, Provider
from tools.codecs import FRONTS, PROVIDERS, minimal_request

RECORDINGS = Path(__file__).parents[1] / "packages/server/tests/recordings/data"
SLOWEST = 2.0
"""Seconds one input may take."""
MEMORY = 2 * 1024**3
"""Bytes of address space beyond which an allocation fails: a reader must not need it."""
TOKENS: tuple[bytes, ...] = (
    *(b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b'"\\ud800"'),
    *(b"\r\n\r\n", b"\r", b"data:", b": x\n\n", b"event: error\n", b"[DONE]"),
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b"9" * 400, b'""', b"[]", b"{}"),
    *(b"[" * 2_000, b'{"a":' * 500),
)
Target = Callable[[bytes, random.Random], None]


def main() -> int:
    """Run; exit 1 with the finding on the first one."""
    asked = _arguments()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    answers, requests = _seeds()
    targets: list[tuple[str, Target, list[bytes]]] = [
        *(
            (f"answers of {provider.name} in {dialect.name}", _answers(dialect), answers)
            for provider, dialect in _dialects()
        ),
        *((f"requests in {front.name}", _requests(front), requests) for front in FRONTS),
        *((f"streams in {front.name}", _relays(front), answers) for front in FRONTS),
    ]
    ends = time.monotonic() + asked.seconds
    done = 0
    while time.monotonic() < ends and (asked.rounds is None or done < asked.rounds):
        seed = asked.seed + done
        finding = _round(seed, targets)
        if finding:
            print(f"seed {seed}: {finding}")
            return 1
        done += 1
    print(f"{done} inputs over {len(targets)} readers, first seed {asked.seed}: no crash, no hang, no missing end")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--rounds", type=int)
    return parser.parse_args()


def _round(seed: int, targets: list[tuple[str, Target, list[bytes]]]) -> str:
    """What went wrong, empty when nothing did."""
    chance = random.Random(seed)
    name, target, seeds = chance.choice(targets)
    given = _broken(chance.choice(seeds), chance)
    begun = time.perf_counter()
    try:
        target(given, chance)
    except Exception:  # noqa: BLE001 - whatever it is, it is the finding
        return f"{name} raised:\n{traceback.format_exc()}\ninput: {given[:2_000]!r}"
    took = time.perf_counter() - begun
    return f"{name} took {took:.1f} s for {len(given)} bytes" if took > SLOWEST else ""


def _broken(seed: bytes, chance: random.Random) -> bytes:
    """A few mutations of a seed."""
    broken = bytearray(seed[: chance.choice((200, 2_000, 20_000, 200_000))])
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(broken) + 1)
        length = chance.choice((1, 2, 8, 64, 512))
        match chance.randrange(7):
            case 0:
                broken[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del broken[at : at + length]
            case 2:
                broken[at:at] = chance.choice(TOKENS)
            case 3:
                broken[at:at] = broken[at : at + length] * chance.randrange(1, 5)
            case 4:
                del broken[at:]
            case 5:
                _swap_values(broken, chance)
            case _:
                broken[at : at + length] = chance.choice(TOKENS)
    return bytes(broken)


def _swap_values(broken: bytearray, chance: random.Random) -> None:
    """Put something of another type behind a colon."""
    colons = [place for place, byte in enumerate(broken[:5_000]) if byte == 0x3A]
    if colons:
        at = chance.choice(colons) + 1
        ends = [broken.find(mark, at) for mark in (b",", b"}", b"]", b"\n")]
        end = min((place for place in ends if place >= 0), default=len(broken))
        broken[at:end] = chance.choice(TOKENS)


def _pieces(given: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(given):
        size = chance.choice((1, 3, 17, 256, 4_096, 65_536))
        yield given[at : at + size]
        at += size


def _answers(dialect: Dialect) -> Target:
    def target(given: bytes, chance: random.Random) -> None:
        _one_end(list(dialect.decode(given)))
        dialect.decode_error(
            chance.choice((400, 401, 404, 429, 500, 529)), {"retry-after": given[:20].decode("latin-1")}, given
        )
        if isinstance(dialect, UnstreamedDialect):
            return
        relay = chance.random() < 0.5
        decoder = dialect.decoder(relay=relay)
        events: list[Event] = []
        for piece in _pieces(given, chance):
            events += decoder.feed(piece)
        events += decoder.finish()
        _one_end(events)

    return target


def _one_end(events: list[Event]) -> None:
    ends = [event for event in events if isinstance(event, Finished | Failed)]
    said = [event for event in events if not isinstance(event, Frame)]
    if len(ends) != 1 or said[-1] is not ends[0]:
        message = f"{len(ends)} ends, last event {events[-1:]!r}"
        raise AssertionError(message)


def _requests(front: Front) -> Target:
    def target(given: bytes, chance: random.Random) -> None:
        envelope = Envelope(headers={}, query={}, path_model="auto", stream=chance.choice((True, False, None)))
        try:
            request = front.read(given, envelope).request
        except InvalidRequest as refused:
            _helpful(refused)
            return
        _encode(request, chance)

    return target


def _encode(request: ModelRequest, chance: random.Random) -> None:
    """Whatever was read can be said to any model, or refused in a sentence."""
    provider = chance.choice([*PROVIDERS.values()])
    card = chance.choice(provider.cards)
    spoken = None if request.source is None else request.source.dialect
    try:
        provider.dialect_for(card.model, spoken).encode(request, card=card, key="k", stream=chance.random() < 0.5)
    except InvalidRequest as refused:
        _helpful(refused)


def _helpful(refused: GatewayError) -> None:
    if not 10 <= len(refused.message) <= 2_000:
        message = f"no helpful sentence: {refused.message[:200]!r}"
        raise AssertionError(message)


def _relays(front: Front) -> Target:
    """Frames of the front's own dialect as a provider might send them, and events of any other."""
    own = [dialect for _, dialect in _dialects() if dialect.name == front.name]
    any_dialect = [dialect for _, dialect in _dialects() if not isinstance(dialect, UnstreamedDialect)]

    def target(given: bytes, chance: random.Random) -> None:
        relayed = bool(own) and chance.random() < 0.5
        dialect = chance.choice(own if relayed else any_dialect)
        inbound = front.read(
            minimal_request(front.name), Envelope(headers={}, query={}, path_model="auto", stream=True)
        )
        told = Told(request_id="req_1", created=1, provider=chance.choice([*PROVIDERS.values()]).name, model="m")
        writer = front.writer(inbound, told, relayed=relayed)
        decoder = dialect.decoder(relay=relayed)
        writer.begin()
        for piece in _pieces(given, chance):
            events = decoder.feed(piece)
            writer.write([event for event in events if isinstance(event, Frame)] if relayed else events)

    return target


def _dialects() -> Iterator[tuple[Provider, Dialect]]:
    for provider in PROVIDERS.values():
        yield provider, provider.dialect
        yield from ((provider, dialect) for dialect in provider.further_dialects)


def _seeds() -> tuple[list[bytes], list[bytes]]:
    """Recorded answers and requests."""
    answers, requests = [], []
    for path in sorted(RECORDINGS.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                answers.append(str(record["response"]["body"]).encode())
                body = (record.get("request") or {}).get("body")
                if body is not None:
                    requests.append(json.dumps(body).encode())
    return answers, requests or [minimal_request(front.name) for front in FRONTS]


if __name__ == "__main__":
    sys.exit(main())
