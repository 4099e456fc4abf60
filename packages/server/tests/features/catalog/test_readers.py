"""The lists of models as the official SDKs, Codex and Claude Code read them."""

import re
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import errors, types

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODEX_NEEDS = {
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "support_verbosity",
    "truncation_policy",
    "experimental_supported_tools",
    "base_instructions",
}
"""Without any of these Codex 0.169 refuses the whole list."""
AUTOS = ["auto", "auto:cheap", "auto:fast", "auto:best"]


def http(house: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=house.gateway.application)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway")


async def key_of(house: Any) -> str:
    key: str = (await house.customer()).api_key
    return key


async def models_of(house: Any) -> list[str]:
    """What is on offer to converse with, by plain name."""
    answer = await house.client.get("/v1/models", headers={"x-api-key": await key_of(house)})
    return [each["id"] for each in answer.json()["data"] if each["max_output_tokens"]]


@pytest.mark.parametrize("base", ["/v1", "/openai/v1", "/openai"])
async def test_openais_sdk(house: Any, base: str) -> None:
    client = openai.AsyncOpenAI(
        base_url=f"http://gateway{base}", api_key=await key_of(house), http_client=http(house), max_retries=0
    )
    listed = [model async for model in client.models.list()]
    assert [model.id for model in listed][:4] == AUTOS
    assert {type(model.created) for model in listed} == {int}
    one = await client.models.retrieve("openai/gpt-5")
    assert (one.id, one.object, one.owned_by) == ("openai/gpt-5", "model", "openai")
    assert (await client.models.retrieve("auto:cheap")).owned_by == "monkey-coder"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-99")


@pytest.mark.parametrize("base", ["", "/anthropic"])
async def test_anthropics_sdk_turns_the_pages(house: Any, base: str) -> None:
    client = anthropic.AsyncAnthropic(
        base_url=f"http://gateway{base}", api_key=await key_of(house), http_client=http(house), max_retries=0
    )
    every = [model.id async for model in client.models.list()]
    assert every == [model.id async for model in client.models.list(limit=7)]
    assert len(every) == len(await models_of(house))
    middle = await client.models.list(before_id=every[10], limit=4)
    assert ([model.id for model in middle.data], middle.has_more) == (every[6:10], True)
    assert [model.id for model in (await client.models.list(before_id=every[2], limit=4)).data] == every[:2]
    one = await client.models.retrieve("claude-mk-openai/gpt-5")
    assert (one.id, one.type, one.lifecycle, one.capabilities) == ("claude-mk-openai/gpt-5", "model", "active", None)
    assert one.created_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert (one.max_input_tokens or 0) > 100_000
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-99")
    with pytest.raises(anthropic.BadRequestError):
        await client.models.list(after_id="nobody")


async def test_claude_code_lists_every_model_and_each_name_means_that_model(house: Any) -> None:
    headers = {"authorization": f"Bearer {await key_of(house)}", "anthropic-version": "2023-06-01"}
    body = (await house.client.get("/v1/models?limit=1000", headers=headers)).json()
    assert all(re.match("^(claude|anthropic)", each["id"]) for each in body["data"])
    assert [each["id"] for each in body["data"][:2]] == ["claude-mk-auto", "claude-mk-auto-cheap"]
    assert len(body["data"]) == len(await models_of(house))
    plain = {"x-api-key": await key_of(house)}
    for each, name in zip(body["data"], await models_of(house), strict=True):
        found = await house.client.get(f"/v1/models/{each['id']}", headers=plain)
        assert found.json()["id"] == name


def google(house: Any, key: str, **options: Any) -> genai.Client:
    kept = types.HttpOptions(base_url="http://gateway", httpx_async_client=http(house), **options)
    return genai.Client(api_key=key, http_options=kept)


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_googles_sdk_turns_the_pages(house: Any, version: str) -> None:
    client = google(house, await key_of(house), api_version=version)
    every = [model async for model in await client.aio.models.list()]
    assert every == [model async for model in await client.aio.models.list(config={"page_size": 5})]
    assert [model.name for model in every[:4]] == [f"models/{name}" for name in AUTOS]
    conversing = [model for model in every if "generateContent" in (model.supported_actions or [])]
    embedding = [model for model in every if "embedContent" in (model.supported_actions or [])]
    assert len(conversing) == len(await models_of(house))
    assert len(conversing) + len(embedding) == len(every)
    assert "models/openai/text-embedding-3-small" in {model.name for model in embedding}
    one = await client.aio.models.get(model="openai/gpt-5")
    assert (one.name, (one.input_token_limit or 0) > 100_000, one.thinking) == ("models/openai/gpt-5", True, True)
    assert (await client.aio.models.get(model="auto")).name == "models/auto"
    with pytest.raises(errors.ClientError) as refused:
        await client.aio.models.get(model="gemini-99")
    assert refused.value.code == 404


@pytest.mark.parametrize("path", ["/v1beta/models", "/genai/v1beta/models", "/genai/v1/models"])
async def test_googles_lists_have_paths_of_their_own_with_googles_errors(house: Any, path: str) -> None:
    listed = await house.client.get(f"{path}?pageSize=2&key={await key_of(house)}")
    assert [each["name"] for each in listed.json()["models"]] == ["models/auto", "models/auto:cheap"]
    assert listed.json()["nextPageToken"] == "models/auto:cheap"
    one = await house.client.get(f"{path}/models/openai/gpt-5?key={await key_of(house)}")
    assert one.json()["name"] == "models/openai/gpt-5"
    refusals = {
        f"{path}?key={await key_of(house)}&pageSize=0": (400, "INVALID_ARGUMENT"),
        f"{path}/nobody?key={await key_of(house)}": (404, "NOT_FOUND"),
        path: (401, "UNAUTHENTICATED"),
    }
    for asked, refusal in refusals.items():
        answer = await house.client.get(asked)
        assert (answer.status_code, answer.json()["error"]["status"]) == refusal


async def test_codex_gets_its_own_shape_with_all_it_needs(house: Any) -> None:
    headers = {"authorization": f"Bearer {await key_of(house)}"}
    body = (await house.client.get("/v1/models?client_version=0.169.0", headers=headers)).json()
    assert set(body) == {"models"}
    models = {each["slug"]: each for each in body["models"]}
    assert list(models)[:4] == AUTOS
    assert all(each.keys() > CODEX_NEEDS for each in models.values())
    assert [each["priority"] for each in body["models"]] == list(range(len(models)))
    best = models["gpt-5"]
    assert (best["shell_type"], best["visibility"], best["apply_patch_tool_type"]) == (
        "unified_exec",
        "list",
        "freeform",
    )
    assert [each["effort"] for each in best["supported_reasoning_levels"]] == ["low", "medium", "high"]
    assert best["truncation_policy"] == {"mode": "tokens", "limit": 10_000}
    assert "apply_patch" in best["base_instructions"]
    windows = [each["context_window"] for each in models.values()]
    assert min(windows) <= models["auto"]["context_window"] <= max(windows)
    for slug in models:
        assert (await house.client.get(f"/v1/models/{slug}", headers=headers)).status_code == 200


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "²", ""])
async def test_a_page_has_a_sensible_size(house: Any, limit: str) -> None:
    headers = {"x-api-key": await key_of(house)}
    answer = await house.client.get(f"/v1/models?limit={limit}", headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")


async def test_the_address_itself_answers_a_probe_without_a_key(house: Any) -> None:
    assert (await house.client.head("/")).status_code == 200
