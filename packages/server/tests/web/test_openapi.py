"""The document names every route, what it takes and gives, and what it can answer."""

from typing import Any

import pytest

from monkey_coder_server.web.problem import STATUS

pytestmark = pytest.mark.asyncio(loop_scope="module")
ANSWER_NOT_OF_A_ROUTE = {405, 426}
"""Of a method or an upgrade that no route takes."""


async def served(house: Any) -> dict[str, Any]:
    answer = await house.client.get("/v1/openapi.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_every_route_is_in_it(house: Any) -> None:
    document = await served(house)
    named = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    routes = {(route.method, route.path.replace(":path}", "}")) for _, route in house.gateway.application.routes}
    assert named == {f"{method} {path}" for method, path in routes}


async def test_every_reference_leads_somewhere(house: Any) -> None:
    document = await served(house)
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(each for name, each in value.items() if name == "$ref")
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(document)
    assert found
    for reference in set(found):
        _, _, kind, name = reference.split("/")
        assert name in document["components"][kind], reference


async def test_it_says_who_may_ask_and_what_they_send_and_get(house: Any) -> None:
    paths = (await served(house))["paths"]
    assert paths["/v1/auth/login"]["post"]["security"] == []
    given = paths["/v1/auth/login"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert {each["$ref"].rpartition("/")[2] for each in given["anyOf"]} == {"TokenResponse", "MfaRequired"}
    making = paths["/v1/keys"]["post"]
    assert "security" not in making
    assert making["x-scope"] == "keys:manage"
    assert making["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/CreateKeyRequest")
    assert making["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/CreatedKey")
    assert making["responses"]["403"]["$ref"].endswith("/native-403")
    assert paths["/v1/messages"]["post"]["responses"]["402"]["$ref"].endswith("/foreign-402")
    [parameter] = paths["/v1/keys/{key_id}"]["delete"]["parameters"]
    assert (parameter["name"], parameter["in"]) == ("key_id", "path")
    asked = {each["name"]: each["schema"] for each in paths["/v1/billing/usage"]["get"]["parameters"]}
    assert asked["group_by"]["maxItems"] == 2
    assert asked["granularity"]["enum"] == ["daily", "hourly", "monthly", "weekly"]


async def test_every_status_of_an_error_is_described(house: Any) -> None:
    described = {
        int(name.removeprefix("native-"))
        for name in (await served(house))["components"]["responses"]
        if "native" in name
    }
    assert set(STATUS.values()) - ANSWER_NOT_OF_A_ROUTE == described


async def test_a_route_that_takes_or_gives_json_says_which(house: Any) -> None:
    """Only the routes of other APIs, files, pages and what has no fixed shape say nothing of what they give."""
    silent = {
        route.path
        for _, route in house.gateway.application.routes
        if route.gives is None and route.errors is None and not route.page
    }
    assert silent <= {
        "/",
        "/billing",
        "/v1/audit/export",
        "/v1/billing/usage",
        "/v1/billing/usage/export",
        "/v1/capabilities",
        "/v1/openapi.json",
        *[path for path in silent if "/models" in path],
    }
