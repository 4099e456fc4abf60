"""The running sandbox: routes, faults on the wire, pacing, and what the tally says afterwards."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientError, ClientPayloadError, ClientSession, ClientTimeout

from monkey_coder_server.sandbox.delivery import GARBAGE
from monkey_coder_server.sandbox.server import RunningSandbox
from monkey_coder_server.sandbox.tally import Entry
from packages.server.tests.sandbox.simulating import MODELS

pytestmark = pytest.mark.system
Send = Callable[..., Any]
PROMPT = "create a REST API for books"
EVERY = pytest.mark.parametrize("provider", MODELS)


def last(sandbox: RunningSandbox) -> Entry:
    return sandbox.tally.entries[-1]


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_every_provider_answers_at_its_base_url(
    sandbox: RunningSandbox, send: Send, provider: str, stream: bool
) -> None:
    response = await send(provider, PROMPT, stream=stream)
    assert response.status == 200
    kind = "text/event-stream" if stream else "application/json"
    assert response.content_type == kind
    entry = last(sandbox)
    assert (entry.provider, entry.model, entry.outcome, entry.stream) == (provider, MODELS[provider], "served", stream)
    assert entry.cost_nanos > 0
    assert entry.answer_id in await response.text()


def test_base_urls_are_what_the_sdks_mean(sandbox: RunningSandbox) -> None:
    root = f"http://127.0.0.1:{sandbox.port}"
    assert sandbox.base_urls == {
        "openai": f"{root}/openai/v1",
        "anthropic": f"{root}/anthropic",
        "google": f"{root}/google",
        "groq": f"{root}/groq/openai/v1",
        "xai": f"{root}/xai/v1",
        "perplexity": f"{root}/perplexity",
        "moonshot": f"{root}/moonshot/v1",
    }


@EVERY
@pytest.mark.parametrize("fault", ["eof", "error_event"])
async def test_a_stream_that_was_sent_to_its_end_before_it_broke_is_billed(
    sandbox: RunningSandbox, send: Send, provider: str, fault: str
) -> None:
    await send(provider, f"{PROMPT} [[sandbox output_tokens=20]]", stream=True)
    whole = last(sandbox)
    await send(provider, f"{PROMPT} [[sandbox output_tokens=20 fault={fault} after=999]]", stream=True)
    assert (last(sandbox).outcome, last(sandbox).usage.output) == ("served", whole.usage.output)
    assert last(sandbox).cost_nanos > 0


@EVERY
@pytest.mark.parametrize(
    ("fault", "status"),
    [("400", 400), ("403", 403), ("404", 404), ("413", 413), ("429", 429), ("quota", 429), ("500", 500), ("503", 503)],
)
async def test_error_faults_answer_with_their_status_and_cost_nothing(
    sandbox: RunningSandbox, send: Send, provider: str, fault: str, status: int
) -> None:
    response = await send(provider, f"hi [[sandbox fault={fault} retry_after=2]]")
    own = {("perplexity", "404"), ("anthropic", "quota")}
    assert response.status == (400 if (provider, fault) in own else status)
    assert json.loads(await response.text())
    assert (last(sandbox).outcome, last(sandbox).cost_nanos, last(sandbox).fault) == ("error", 0, fault)
    if fault == "429" and provider != "google":
        assert response.headers["retry-after"] == "2"


@EVERY
async def test_wrong_keys_and_gateway_errors_have_each_provider_s_status(send: Send, provider: str) -> None:
    assert (await send(provider, "hi [[sandbox fault=401]]")).status == (400 if provider in {"xai", "google"} else 401)
    assert (await send(provider, "hi [[sandbox fault=502]]")).content_type == "text/html"
    assert (await send(provider, "hi [[sandbox fault=529]]")).status == (503 if provider == "google" else 529)
    assert (await send(provider, "hi [[sandbox fault=402]]")).status == 402


@EVERY
async def test_a_reset_before_the_headers_is_not_billed(sandbox: RunningSandbox, send: Send, provider: str) -> None:
    with pytest.raises(ClientError):
        await send(provider, "hi [[sandbox fault=reset]]")
    assert (last(sandbox).outcome, last(sandbox).cost_nanos) == ("faulted", 0)
    assert last(sandbox).unbilled_nanos > 0


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_cut_breaks_the_body_and_is_not_billed(
    sandbox: RunningSandbox, send: Send, provider: str, stream: bool
) -> None:
    with pytest.raises((ClientPayloadError, ConnectionError)):
        await send(provider, f"{PROMPT} [[sandbox fault=cut after=2]]", stream=stream)
    assert (last(sandbox).outcome, last(sandbox).cost_nanos) == ("faulted", 0)


@EVERY
async def test_a_stream_may_end_cleanly_but_too_early(sandbox: RunningSandbox, send: Send, provider: str) -> None:
    whole = await (await send(provider, PROMPT, stream=True)).text()
    response = await send(provider, f"{PROMPT} [[sandbox fault=eof after=3]]", stream=True)
    text = await response.text()
    assert 0 < len(text) < len(whole)
    assert "[DONE]" not in text
    assert last(sandbox).outcome == "faulted"


@EVERY
async def test_an_error_event_comes_in_the_provider_s_shape(sandbox: RunningSandbox, send: Send, provider: str) -> None:
    response = await send(provider, f"{PROMPT} [[sandbox fault=error_event after=2 message=gone]]", stream=True)
    text = await response.text()
    event = json.loads(text.strip().rpartition("data: ")[2])
    assert response.status == 200
    assert "gone" in json.dumps(event["error"])
    assert last(sandbox).outcome == "faulted"
    assert ("event: error" in text) == (provider in {"anthropic", "groq"})
    assert (await send(provider, "hi [[sandbox fault=error_event]]")).status == 503


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_garbage_is_no_answer(sandbox: RunningSandbox, send: Send, provider: str, stream: bool) -> None:
    response = await send(provider, "hi [[sandbox fault=garbage]]", stream=stream)
    assert response.status == 200
    assert (await response.text(encoding="latin-1")).encode("latin-1") == GARBAGE
    assert last(sandbox).outcome == "faulted"


@EVERY
async def test_a_garbage_frame_is_followed_by_the_rest(sandbox: RunningSandbox, send: Send, provider: str) -> None:
    text = await (await send(provider, f"{PROMPT} [[sandbox fault=garbage_frame]]", stream=True)).text()
    assert '"id": "broken"' in text
    assert last(sandbox).outcome == "served"


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_missing_and_absurd_usage_change_the_report_not_the_bill(
    sandbox: RunningSandbox, send: Send, provider: str, stream: bool
) -> None:
    more = {"stream_options": {"include_usage": True}} if stream and provider == "openai" else {}
    await send(provider, "hi [[sandbox text=hello]]         ", stream=stream, **more)
    honest = last(sandbox)
    missing = await (await send(provider, "hi [[sandbox text=hello fault=no_usage]]", stream=stream, **more)).text()
    # a null usage stands in every OpenAI chunk, so only its numbers are missing
    assert "prompt_tokens" not in missing
    assert "input_tokens" not in missing
    assert "promptTokenCount" not in missing
    assert last(sandbox).cost_nanos >= honest.cost_nanos > 0
    absurd = await (await send(provider, "hi [[sandbox text=hello fault=absurd_usage]]", stream=stream, **more)).text()
    assert "1000000000000000" in absurd
    assert last(sandbox).usage.output < 1_000
    assert last(sandbox).outcome == "served"


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_huge_body_can_be_given_up_on(
    sandbox: RunningSandbox, client: ClientSession, url_of: Callable[..., str], provider: str, stream: bool
) -> None:
    prompt = "hi [[sandbox fault=huge size=1000000]]"
    if provider == "google":
        body: dict[str, Any] = {"contents": [{"parts": [{"text": prompt}]}]}
    else:
        body = {"model": MODELS[provider], "max_tokens": 9, "messages": [{"role": "user", "content": prompt}]}
        body["stream"] = stream
    async with client.post(url_of(provider, stream=stream), json=body) as response:
        assert len(await response.content.readexactly(200_000)) == 200_000
    assert last(sandbox).outcome == "faulted"


@EVERY
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_empty_refused_and_filtered_answers_end_as_the_provider_says(
    sandbox: RunningSandbox, send: Send, provider: str, stream: bool
) -> None:
    ends = {"empty": ("stop", "end_turn", "STOP"), "refusal": ("stop", "refusal", "PROHIBITED_CONTENT")}
    ends["content_filter"] = ("content_filter", "refusal", "SAFETY")
    for fault, words in ends.items():
        word = words[{"anthropic": 1, "google": 2}.get(provider, 0)]
        text = await (await send(provider, f"hi [[sandbox fault={fault}]]", stream=stream)).text()
        assert f'"{word}"' in text
        assert last(sandbox).outcome == "served"


async def test_a_refusal_has_its_own_field_at_openai(send: Send) -> None:
    document = await (await send("openai", "hi [[sandbox fault=refusal]]")).json()
    message = document["choices"][0]["message"]
    assert message["content"] is None
    assert "can't assist" in message["refusal"]


async def test_a_slow_first_byte_and_a_slow_drip_take_their_time(send: Send) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await send("openai", "hi [[sandbox fault=slow_first_byte delay=0.2]]")
    assert loop.time() - began >= 0.2
    began = loop.time()
    await send("openai", "hi [[sandbox fault=slow_drip delay=0.05 text=abc]]", stream=True)
    assert loop.time() - began >= 0.2


async def test_pacing_follows_tokens_per_second(send: Send) -> None:
    loop = asyncio.get_running_loop()
    for stream in (False, True):
        began = loop.time()
        await send("openai", "hi [[sandbox output_tokens=50 tokens_per_second=200 first_token_ms=50]]", stream=stream)
        assert 0.29 <= loop.time() - began < 5


@EVERY
async def test_writes_can_be_split_at_any_byte(send: Send, provider: str) -> None:
    prompt = "hi [[sandbox text='Grüße aus Köln ☕' split=3 chunk=4]]"
    response = await send(provider, prompt, stream=True)
    text = await response.text()
    joined = "".join(_contents(text, provider))
    assert joined == "Grüße aus Köln ☕"


def _contents(text: str, provider: str) -> list[str]:
    documents = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    found = []
    for document in documents:
        if provider == "google":
            parts = document["candidates"][0]["content"].get("parts", [])
            found += [part["text"] for part in parts]
        elif provider == "anthropic":
            found.append(document.get("delta", {}).get("text", ""))
        else:
            found += [choice["delta"].get("content") or "" for choice in document["choices"]]
    return found


async def test_a_hanging_provider_never_answers(sandbox: RunningSandbox, client: ClientSession, url_of: Any) -> None:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi [[sandbox fault=hang]]"}]}
    with pytest.raises(asyncio.TimeoutError):
        await client.post(url_of("openai"), json=body, timeout=ClientTimeout(total=0.2))
    assert last(sandbox).outcome == "faulted"


@EVERY
async def test_an_abandoned_stream_is_billed_for_what_was_generated(
    sandbox: RunningSandbox, client: ClientSession, url_of: Callable[..., str], provider: str
) -> None:
    prompt = "hi [[sandbox output_tokens=2000 reasoning_tokens=0 tokens_per_second=400]]"
    if provider == "google":
        body: dict[str, Any] = {"contents": [{"parts": [{"text": prompt}]}]}
    else:
        body = {"model": MODELS[provider], "max_tokens": 9_000, "stream": True}
        body["messages"] = [{"role": "user", "content": prompt}]
    response = await client.post(url_of(provider, stream=True), json=body)
    await response.content.readany()
    await asyncio.sleep(0.15)
    response.close()
    async with asyncio.timeout(5):
        while not sandbox.tally.entries:  # noqa: ASYNC110 - the tally is written by another task, without an event
            await asyncio.sleep(0.02)
    entry = last(sandbox)
    assert entry.outcome == "abandoned"
    assert 0 < entry.usage.output < 2_000
    assert entry.cost_nanos > 0


async def test_gemini_streams_an_array_unless_asked_for_events(sandbox: RunningSandbox, client: ClientSession) -> None:
    for version in ("v1", "v1beta"):
        url = f"{sandbox.base_urls['google']}/{version}/models/gemini-2.5-flash:streamGenerateContent"
        async with client.post(url, json={"contents": [{"parts": [{"text": PROMPT}]}]}) as response:
            documents = await response.json()
        assert documents[-1]["candidates"][0]["finishReason"] == "STOP"


async def test_tokens_are_counted_as_they_are_billed(
    sandbox: RunningSandbox, client: ClientSession, send: Send
) -> None:
    await send("google", PROMPT)
    url = f"{sandbox.base_urls['google']}/v1beta/models/gemini-2.5-flash:countTokens"
    async with client.post(url, json={"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}) as response:
        assert (await response.json())["totalTokens"] == last(sandbox).usage.prompt
    await send("anthropic", PROMPT)
    body = {"model": MODELS["anthropic"], "messages": [{"role": "user", "content": PROMPT}]}
    url = f"{sandbox.base_urls['anthropic']}/v1/messages/count_tokens"
    async with client.post(url, json=body) as response:
        assert (await response.json())["input_tokens"] == last(sandbox).usage.prompt
    async with client.post(url, json={"model": "no-such-model"}) as response:
        assert response.status == 404


@EVERY
async def test_models_are_listed(sandbox: RunningSandbox, client: ClientSession, provider: str) -> None:
    base = sandbox.base_urls[provider]
    path = {"anthropic": "/v1/models", "google": "/v1beta/models"}.get(provider, "/models")
    async with client.get(base + path) as response:
        document = await response.json()
    listed = {
        entry.get("id") or entry["name"].removeprefix("models/") for entry in document.get("data") or document["models"]
    }
    assert MODELS[provider] in listed
    async with client.get(
        base + path, headers={"authorization": "", "x-api-key": "", "x-goog-api-key": ""}
    ) as response:
        assert response.status in {400, 401, 403}


async def test_control_routes_script_count_and_forget(
    sandbox: RunningSandbox, client: ClientSession, send: Send
) -> None:
    root = f"http://127.0.0.1:{sandbox.port}/__sandbox"
    rules = {"rules": [{"provider": "openai", "times": 1, "fault": "429"}]}
    async with client.post(f"{root}/script", json=rules) as response:
        assert await response.json() == {"rules": 1}
    async with client.post(f"{root}/script", json={"rules": [{"fault": "explode"}]}) as response:
        assert response.status == 400
    assert (await send("openai", "hi")).status == 429
    assert (await send("openai", "hi")).status == 200
    assert (await send("openai", "hi", headers={"x-sandbox-script": '{"fault": "500"}'})).status == 500
    async with client.get(f"{root}/tally") as response:
        document = await response.json()
    assert document["overall"]["requests"] == len(document["requests"]) == 3
    assert document["providers"]["openai"]["cost_nanos"] == sandbox.tally.cost_nanos()
    async with client.get(f"{root}/tally?requests=0") as response:
        assert "requests" not in await response.json()
    async with client.post(f"{root}/reset") as response:
        assert response.status == 200
    assert sandbox.tally.entries == []
    async with client.get(f"{root}/health") as response:
        assert (await response.json())["providers"] == list(MODELS)


async def test_the_tally_is_the_sum_of_what_providers_claim(sandbox: RunningSandbox, send: Send) -> None:
    claimed = 0
    for number in range(10):
        document = await (await send("xai", f"write parser {number}")).json()
        claimed += document["usage"]["cost_in_usd_ticks"] // 10
        document = await (await send("perplexity", f"write parser {number}")).json()
        claimed += round(document["usage"]["cost"]["total_cost"] * 10**9)
    assert sandbox.tally.cost_nanos() == claimed


async def test_an_anthropic_request_without_a_version_is_refused(
    sandbox: RunningSandbox, client: ClientSession, url_of: Callable[..., str]
) -> None:
    async with ClientSession(headers={"x-api-key": "k"}) as bare, bare.post(url_of("anthropic"), json={}) as response:
        assert response.status == 400
        assert "anthropic-version" in await response.text()
