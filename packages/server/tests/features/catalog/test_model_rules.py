"""Lists of models hold what the caller may use, and nothing that a request for it would be refused."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.test_teams import ask, furnished

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOWED = {"openai/gpt-5", "openai/gpt-4.1"}
DENIED = "openai/gpt-5"
LEFT = {"gpt-4.1"}
LISTS = {
    "openai": ("/v1/models", {}),
    "anthropic": ("/v1/models", {"anthropic-version": "2023-06-01"}),
    "anthropic's prefix": ("/anthropic/v1/models", {}),
    "codex": ("/v1/models?client_version=0.169.0", {}),
    "gemini": ("/v1beta/models", {}),
    "gemini's prefix": ("/genai/v1beta/models", {}),
}


async def listed(house: Any, key: str, path: str, more: dict[str, str]) -> set[str]:
    """The models by their plain names, without the modes of `auto`."""
    body = (await house.client.get(path, headers={"x-api-key": key, **more})).json()
    found = body["data"] if "data" in body else body["models"]
    names = [each.get("id") or each.get("slug") or each["name"] for each in found]
    return {name.rpartition("/")[2] for name in names if "auto" not in name}


async def limited_key(house: Any, owner: Any) -> str:
    """May use two models by itself, one of which its organization denies."""
    wish = {"holder": "organization", "deny": [DENIED]}
    assert (await ask(house, owner, "PUT", "model-rules", **wish)).status_code == 200
    made = await ask(house, owner, "POST", "/v1/keys", name="x", models=sorted(ALLOWED))
    key: str = made.json()["key"]
    return key


@pytest.mark.parametrize("reader", LISTS)
async def test_no_list_holds_a_model_that_would_be_refused(house: Any, reader: str) -> None:
    owner, _ = await furnished(house)
    key = await limited_key(house, owner)
    path, more = LISTS[reader]
    assert await listed(house, key, path, more) == LEFT


@pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models", "/anthropic/v1/models"])
async def test_a_model_that_would_be_refused_is_refused_by_name_with_whose_rule_it_is(house: Any, path: str) -> None:
    owner, _ = await furnished(house)
    key = await limited_key(house, owner)
    answer = await house.client.get(f"{path}/{DENIED}", headers={"x-api-key": key})
    assert (answer.status_code, "organization denies it" in answer.text) == (403, True), answer.text
    assert (await house.client.get(f"{path}/openai/gpt-4.1", headers={"x-api-key": key})).status_code == 200


async def test_who_may_use_nothing_is_shown_nothing_not_even_auto(house: Any) -> None:
    owner, _ = await furnished(house)
    assert (await ask(house, owner, "PUT", "model-rules", holder="organization", deny=["openai/*"])).status_code == 200
    key = (await ask(house, owner, "POST", "/v1/keys", name="x")).json()["key"]
    body = (await house.client.get("/v1/models", headers={"x-api-key": key})).json()
    assert (body["data"], body["count"], body["models"]) == ([], 0, {})
