"""A gateway that starts clears up after one that died."""

from datetime import timedelta
from pathlib import Path

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.ports.ledger import Hold, HoldRequest
from monkey_coder_server.settings import load


async def test_what_a_dead_process_held_is_free_before_the_first_request(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)})
    async with open_books(settings) as books:
        ledger, now = books.storage.ledger, books.clock.now()
        await ledger.open_wallet("acct_1")
        await ledger.grant("acct_1", 1_000, reason="test", idempotency_key="first")
        held = await ledger.hold(HoldRequest("req_1", "acct_1", "key_1", 900, now, now + timedelta(hours=1)))
        assert isinstance(held, Hold)
        await ledger.durable(held)
    async with open_gateway(settings) as gateway:
        wallet = await gateway.books.storage.ledger.wallet("acct_1")
        assert (wallet.balance, wallet.held) == (1_000, 0)


async def test_an_operators_command_beside_a_gateway_voids_nothing(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)})
    async with open_gateway(settings) as gateway:
        ledger, now = gateway.books.storage.ledger, gateway.books.clock.now()
        await ledger.open_wallet("acct_1")
        await ledger.grant("acct_1", 1_000, reason="test", idempotency_key="first")
        held = await ledger.hold(HoldRequest("req_1", "acct_1", "key_1", 900, now, now + timedelta(hours=1)))
        assert isinstance(held, Hold)
        await ledger.durable(held)
        async with open_books(settings) as books:
            assert (await books.storage.ledger.wallet("acct_1")).held == 900
        async with open_gateway(settings):
            assert (await ledger.wallet("acct_1")).held == 900
