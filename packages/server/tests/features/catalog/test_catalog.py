from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_one_body_serves_the_openai_list_anthropics_page_and_the_native_map(house: Any) -> None:
    customer = await house.customer()
    body = (await house.client.get("/v1/models", headers=customer.headers)).json()
    ids = [entry["id"] for entry in body["data"]]
    assert body["object"] == "list"
    assert ids[:4] == ["auto", "auto:cheap", "auto:fast", "auto:best"]
    assert body["count"] == len(ids) - 4 == sum(len(models) for models in body["models"].values())
    assert {f"{provider}/{model}" for provider, models in body["models"].items() for model in models} == set(ids[4:])
    assert (body["has_more"], body["first_id"], body["last_id"]) == (False, "auto", ids[-1])
    for entry in body["data"]:
        assert (entry["object"], entry["type"], entry["created"]) == ("model", "model", 0)
        assert entry["created_at"] == "1970-01-01T00:00:00Z"
        assert entry["owned_by"]
        assert entry["display_name"]


async def test_only_what_can_be_called_is_on_offer(house: Any) -> None:
    customer = await house.customer()
    body = (await house.client.get("/v1/models", headers=customer.headers)).json()
    assert set(body["models"]) == {"openai"}, "only OpenAI has a key in this house"
    providers = (await house.client.get("/v1/providers", headers=customer.headers)).json()
    assert providers["count"] == 7
    assert providers["providers"]["openai"]["status"] == "active"
    assert providers["providers"]["groq"] == {
        "name": "groq",
        "type": "openai-chat",
        "initialized": False,
        "status": "unconfigured",
        "healthy": False,
        "models": 0,
        "data_policies": ["retention_30_days"],
        "data_policies_source": "https://console.groq.com/docs/your-data",
    }


async def test_prices_are_what_is_charged_here_as_decimal_text(house: Any) -> None:
    customer = await house.customer()
    entry = (await house.client.get("/v1/models/openai/gpt-5", headers=customer.headers)).json()
    assert (entry["input_price_usd_per_mtok"], entry["output_price_usd_per_mtok"]) == ("1.4375", "11.50")
    assert entry["context_window"] > 0


@pytest.mark.parametrize("name", ["gpt-5", "openai/gpt-5", "GPT-5"])
async def test_a_model_is_found_by_any_of_its_names(house: Any, name: str) -> None:
    customer = await house.customer()
    answer = await house.client.get(f"/v1/models/{name}", headers=customer.headers)
    assert answer.json()["id"] == "openai/gpt-5"


@pytest.mark.parametrize("name", ["gpt-99", "groq/llama-3.3-70b-versatile"])
async def test_what_is_not_on_offer_is_not_found(house: Any, name: str) -> None:
    customer = await house.customer()
    answer = await house.client.get(f"/v1/models/{name}", headers=customer.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "model_not_found")


async def test_the_filter_takes_names_and_aliases_and_refuses_others(house: Any) -> None:
    customer = await house.customer()
    openai = (await house.client.get("/v1/models?provider=openai", headers=customer.headers)).json()
    grok = (await house.client.get("/v1/models?provider=grok", headers=customer.headers)).json()
    nobody = await house.client.get("/v1/models?provider=qwen", headers=customer.headers)
    assert openai["provider_filter"] == "openai"
    assert (grok["provider_filter"], grok["count"], grok["models"], grok["data"]) == ("xai", 0, {}, [])
    assert openai["data"][0]["id"].startswith("openai/"), "auto is no model of a provider"
    assert nobody.status_code == 400


async def test_capabilities_count_what_there_is(house: Any) -> None:
    customer = await house.customer()
    body = (await house.client.get("/v1/capabilities", headers=customer.headers)).json()
    models = (await house.client.get("/v1/models", headers=customer.headers)).json()
    assert body["environment_configuration"]["summary"] == {
        "providers_configured": 1,
        "models_on_offer": models["count"],
    }
    able = body["orchestration"]["capabilities"]
    listed = [entry for entry in models["data"] if entry["provider"] != "auto"]
    assert able["tools"] == sum("tools" in entry["capabilities"] for entry in listed)
    assert len(body["environment_configuration"]["validation_warnings"]) == 6
    assert "sk-never-used" not in str(body)
