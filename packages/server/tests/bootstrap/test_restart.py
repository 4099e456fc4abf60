"""A gateway that starts clears up after one that died."""

from datetime import timedelta
from pathlib import Path

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.ports.ledger import HoldRequest
from monkey_coder_server.settings import load


async def test_what_a_dead_process_held_is_free_before_the_first_request(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)})
    async with open_books(settings) as books:
        storage, now = books.storage, books.clock.now()
        await storage.ledger.open_wallet("acct_1")
        await storage.ledger.grant("acct_1", 1_000, reason="test", idempotency_key="first")
        await storage.books.place(HoldRequest("req_1", "acct_1", "key_1", 900, now, now + timedelta(hours=1)))
    async with open_gateway(settings) as gateway:
        wallet = await gateway.books.storage.ledger.wallet("acct_1")
        assert (wallet.balance, wallet.held) == (1_000, 0)


async def test_an_operators_command_beside_a_gateway_voids_nothing(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path)})
    async with open_gateway(settings) as gateway:
        storage, now = gateway.books.storage, gateway.books.clock.now()
        await storage.ledger.open_wallet("acct_1")
        await storage.ledger.grant("acct_1", 1_000, reason="test", idempotency_key="first")
        await storage.books.place(HoldRequest("req_1", "acct_1", "key_1", 900, now, now + timedelta(hours=1)))
        async with open_books(settings) as books:
            assert (await books.storage.ledger.wallet("acct_1")).held == 900
        async with open_gateway(settings):
            assert (await storage.ledger.wallet("acct_1")).held == 900
