"""The provider simulators beside a gateway, in the process that asks for them."""

import contextlib
from collections.abc import AsyncIterator, Mapping


@contextlib.asynccontextmanager
async def simulators() -> AsyncIterator[Mapping[str, str]]:
    """Base URLs of simulated providers, while the block runs."""
    from monkey_coder_server.sandbox import server  # noqa: PLC0415 - only a sandbox gateway needs it

    running = await server.start()
    try:
        yield running.base_urls
    finally:
        await running.close()
