"""A gateway without a provider lists nothing, to every reader in its shape."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.errors import ModelNotFound
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import PriceBook
from monkey_coder_server.features import catalog
from monkey_coder_server.web.asgi import Message
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.routing import RouteTable
from packages.server.tests.features.inference.world import LoopClock

USE = catalog.Dependencies(
    catalog=Catalog([]),
    providers=(),
    states={},
    healthy=lambda _: False,
    data={},
    prices=lambda: PriceList(PriceBook.of([]), MarkupTable(0)),
    clock=LoopClock(),
    version="1",
    environment="test",
)


async def got(path: str, query: str = "", **headers: str) -> Any:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    match = RouteTable(catalog.build(USE).routes).find("GET", path)
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": given}
    reply = await match.route.endpoint(Request(scope, receive, request_id="req_1", parameters=match.parameters))
    await reply(scope, receive, send)
    return json.loads(sent[1]["body"])


async def test_every_list_is_empty() -> None:
    everybody = await got("/v1/models")
    assert (everybody["data"], everybody["models"], everybody["first_id"]) == ([], {}, None)
    claude = await got("/v1/models", anthropic_version="2023-06-01")
    assert (claude["data"], claude["has_more"], claude["last_id"]) == ([], False, None)
    assert await got("/v1/models", "client_version=1") == {"models": []}
    assert await got("/v1/models", x_goog_api_client="x") == {"models": []}
    assert await got("/v1beta/models", "pageSize=5") == {"models": []}


@pytest.mark.parametrize("path", ["/v1/models/auto", "/v1beta/models/auto"])
async def test_auto_is_no_model_where_there_is_none_to_choose(path: str) -> None:
    with pytest.raises(ModelNotFound):
        await got(path)
