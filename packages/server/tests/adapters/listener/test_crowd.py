"""Connections of one address are bounded; those of others, and of this machine, are not its business."""

import asyncio

import pytest

from monkey_coder_server.adapters.listener import Listener, ListenerOptions, crowd
from monkey_coder_server.adapters.listener.crowd import Crowd, is_local
from packages.server.tests.adapters.listener.test_listener import GOOD, application, say


def test_an_address_has_so_many_connections_and_gets_another_when_one_ends() -> None:
    several = Crowd(2)
    assert [several.admit("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert several.admit("192.0.2.2")
    several.leave("192.0.2.1")
    assert [several.admit("192.0.2.1") for _ in range(2)] == [True, False]
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        several.leave(address)
    assert [several.admit("192.0.2.2") for _ in range(3)] == [True, True, False]


def test_one_household_of_ipv6_is_one_address() -> None:
    several = Crowd(2)
    assert [several.admit(f"2001:db8:0:7::{host:x}") for host in (1, 2, 3)] == [True, True, False]
    assert several.admit("2001:db8:0:8::1")
    several.leave("2001:db8:0:7::2")
    assert several.admit("2001:db8:0:7::3")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_callers_on_this_machine_are_not_counted(address: str) -> None:
    several = Crowd(1)
    assert is_local(address)
    assert all(several.admit(address) for _ in range(9))
    several.leave(address)


def test_without_a_bound_all_are_admitted() -> None:
    several = Crowd()
    assert all(several.admit("192.0.2.1") for _ in range(9))
    several.leave("192.0.2.1")


@pytest.mark.system
async def test_a_crowded_address_is_turned_away_and_served_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "is_local", lambda _address: False)
    listener = Listener(application, ListenerOptions("127.0.0.1", 0, cut_off=1, per_address=2))
    await listener.start()
    held = []
    try:
        for _ in range(2):
            held.append(await asyncio.open_connection("127.0.0.1", listener.port))
            assert await first_line(*held[-1]) == b"HTTP/1.1 200 OK"
        assert not await say(listener.port, GOOD)
        held[0][1].close()
        await asyncio.sleep(0.05)
        held.append(await asyncio.open_connection("127.0.0.1", listener.port))
        assert await first_line(*held[-1]) == b"HTTP/1.1 200 OK"
    finally:
        for _, writer in held:
            writer.close()
        await listener.stop()


async def first_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(GOOD)
    return (await reader.readline()).strip()
