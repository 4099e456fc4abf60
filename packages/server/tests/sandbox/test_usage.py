"""Each provider counts by its own rules, and its caches behave as its documentation says."""

from typing import Any

import pytest

from monkey_coder_server.sandbox import tokens
from packages.server.tests.sandbox.simulating import MODELS, Simulated

LONG = "Keep to these rules of the house. " * 300


def usage_of(answer: Any) -> dict[str, Any]:
    document = answer.documents[-1]
    found: dict[str, Any] = document.get("usage") or document.get("usageMetadata")
    return found


def test_a_token_is_four_characters_rounded_up() -> None:
    assert [tokens.count(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_openai_counts_hidden_reasoning_inside_completion_tokens(simulated: Simulated) -> None:
    answer = simulated.ask("openai", simulated.body("openai", "write a parser", model="gpt-5"))
    usage = usage_of(answer)
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert reasoning > 0
    assert usage["completion_tokens"] == tokens.count(answer.served.reply.text) + reasoning
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert answer.served.reply.reasoning.encode() not in answer.body


def test_xai_leaves_reasoning_out_of_completion_tokens_but_in_the_total(simulated: Simulated) -> None:
    usage = usage_of(simulated.prompt("xai", "write a parser"))
    reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
    assert reasoning > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] + reasoning


def test_xai_names_the_cost_of_the_bill_in_ticks(simulated: Simulated) -> None:
    answer = simulated.prompt("xai", "write a parser")
    assert usage_of(answer)["cost_in_usd_ticks"] == answer.served.bill.nanos * 10


def test_gemini_counts_thoughts_outside_the_candidates(simulated: Simulated) -> None:
    usage = usage_of(simulated.prompt("google", "write a parser"))
    assert usage["thoughtsTokenCount"] > 0
    parts = usage["promptTokenCount"] + usage["candidatesTokenCount"] + usage["thoughtsTokenCount"]
    assert usage["totalTokenCount"] == parts


def test_gemini_without_a_thinking_budget_does_not_think(simulated: Simulated) -> None:
    body = simulated.body("google", "write a parser", generationConfig={"thinkingConfig": {"thinkingBudget": 0}})
    assert "thoughtsTokenCount" not in usage_of(simulated.ask("google", body))


def test_perplexity_repeats_usage_in_every_event_and_names_the_cost_in_the_last(simulated: Simulated) -> None:
    answer = simulated.prompt("perplexity", "write a parser", stream=True)
    counts = [document["usage"]["completion_tokens"] for document in answer.documents]
    assert counts == sorted(counts)
    assert all("cost" not in document["usage"] for document in answer.documents[:-1])
    assert round(answer.documents[-1]["usage"]["cost"]["total_cost"] * 10**9) == answer.served.bill.nanos
    assert answer.documents[-1]["object"] == "chat.completion.done"
    assert b"[DONE]" not in answer.body
    assert b"\r\n\r\n" in answer.body


def test_moonshot_streams_carry_usage_in_the_choice(simulated: Simulated) -> None:
    last = simulated.prompt("moonshot", "write a parser", stream=True).documents[-1]
    assert last["choices"][0]["usage"]["total_tokens"] > 0
    assert "usage" not in last


def test_groq_streams_always_carry_usage_under_x_groq_and_mostly_at_top_level(simulated: Simulated) -> None:
    lasts = [simulated.prompt("groq", f"write parser {number}", stream=True).documents[-1] for number in range(16)]
    assert all(last["x_groq"]["usage"]["total_tokens"] for last in lasts)
    assert {"usage" in last for last in lasts} == {True, False}


def test_openai_streams_carry_usage_only_when_asked(simulated: Simulated) -> None:
    without = simulated.prompt("openai", "write a parser", stream=True)
    assert all("usage" not in document for document in without.documents)
    asked = simulated.prompt("openai", "write a parser", stream=True, stream_options={"include_usage": True})
    assert [document["choices"] == [] for document in asked.documents].count(True) == 1
    assert asked.documents[-1]["usage"]["total_tokens"] > 0
    assert all(document["obfuscation"] for document in asked.documents)


@pytest.mark.parametrize("provider", ["openai", "xai", "moonshot", "google", "groq"])
def test_a_long_prefix_is_cached_for_the_next_request(simulated: Simulated, provider: str) -> None:
    first = simulated.prompt(provider, LONG + "first question")
    second = simulated.prompt(provider, LONG + "second question")
    assert first.served.usage.cache_read == 0
    assert second.served.usage.cache_read >= 1_024
    assert second.served.usage.prompt == second.served.ask.prompt_tokens
    assert second.served.bill.nanos < first.served.bill.nanos


@pytest.mark.parametrize("provider", MODELS)
def test_a_short_prompt_is_never_cached(simulated: Simulated, provider: str) -> None:
    simulated.prompt(provider, "short")
    assert simulated.prompt(provider, "short").served.usage.cache_read == 0


def test_newer_openai_models_report_what_was_written_to_the_cache(simulated: Simulated) -> None:
    body = simulated.body("openai", LONG + "first question", model="gpt-6-sol")
    first, second = simulated.ask("openai", body), simulated.ask("openai", body)
    written = usage_of(first)["prompt_tokens_details"]["cache_write_tokens"]
    assert written >= 1_024
    assert usage_of(second)["prompt_tokens_details"] == {
        "cached_tokens": written,
        "audio_tokens": 0,
        "cache_write_tokens": 0,
    }


def anthropic_body(simulated: Simulated, question: str, ttl: str = "5m") -> dict[str, Any]:
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": ttl}}]
    return simulated.body("anthropic", question, system=system)


def test_anthropic_writes_then_reads_what_a_breakpoint_marks(simulated: Simulated) -> None:
    first = simulated.ask("anthropic", anthropic_body(simulated, "first")).served.usage
    second = simulated.ask("anthropic", anthropic_body(simulated, "second")).served.usage
    assert first.cache_write_5m == tokens.count(LONG)
    assert (second.cache_read, second.cache_write_5m) == (first.cache_write_5m, 0)


def test_anthropic_reports_input_without_cached_tokens(simulated: Simulated) -> None:
    answer = simulated.ask("anthropic", anthropic_body(simulated, "first", "1h"))
    usage = usage_of(answer)
    assert usage["input_tokens"] == tokens.count("first") + tokens.MESSAGE_OVERHEAD
    assert usage["cache_creation"] == {
        "ephemeral_5m_input_tokens": 0,
        "ephemeral_1h_input_tokens": usage["cache_creation_input_tokens"],
    }


@pytest.mark.parametrize(
    ("model", "tokens_kept"),
    [
        ("claude-opus-5", 512),
        ("claude-sonnet-5", 1_024),
        ("claude-opus-4-8", 1_024),
        ("claude-sonnet-4-6", 2_048),
        ("claude-opus-4-7", 4_096),
        ("claude-haiku-4-5", 4_096),
    ],
)
def test_a_prefix_is_kept_from_the_length_on_that_the_model_keeps(
    simulated: Simulated, model: str, tokens_kept: int
) -> None:
    for count in (tokens_kept - 1, tokens_kept):
        system = [{"type": "text", "text": "abcd" * count, "cache_control": {"type": "ephemeral"}}]
        used = simulated.ask("anthropic", simulated.body("anthropic", "q", system=system, model=model)).served.usage
        assert used.cache_write_5m == (count if count == tokens_kept else 0)


@pytest.mark.parametrize(("ttl", "seconds"), [("5m", 300), ("1h", 3_600)])
def test_an_anthropic_cache_entry_lives_as_long_as_it_was_asked_to(
    simulated: Simulated, clock: list[float], ttl: str, seconds: int
) -> None:
    simulated.ask("anthropic", anthropic_body(simulated, "first", ttl))
    clock[0] = seconds - 1.0
    assert simulated.ask("anthropic", anthropic_body(simulated, "second", ttl)).served.usage.cache_read
    clock[0] += seconds + 1.0
    assert not simulated.ask("anthropic", anthropic_body(simulated, "third", ttl)).served.usage.cache_read


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google", "xai"])
def test_pictures_cost_input_tokens(simulated: Simulated, provider: str) -> None:
    data = "iVBORw0KGgo" * 50
    text = simulated.prompt(provider, "what is this?").served.usage.prompt
    if provider == "anthropic":
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        messages = [{"role": "user", "content": [{"type": "text", "text": "what is this?"}, picture]}]
        body = simulated.body(provider, "", messages=messages)
    elif provider == "google":
        part = {"inlineData": {"mimeType": "image/png", "data": data}}
        body = {"contents": [{"parts": [{"text": "what is this?"}, part]}]}
    else:
        picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
        messages = [{"role": "user", "content": [{"type": "text", "text": "what is this?"}, picture]}]
        body = simulated.body(provider, "", messages=messages)
    assert simulated.ask(provider, body).served.usage.prompt >= text + 258


@pytest.mark.parametrize("provider", MODELS)
def test_an_output_limit_cuts_the_answer_and_says_so(simulated: Simulated, provider: str) -> None:
    limit = {
        "google": {"generationConfig": {"maxOutputTokens": 200}},
        "openai": {"max_completion_tokens": 200},
    }.get(provider, {"max_tokens": 200})
    answer = simulated.prompt(provider, "create a REST API for books", **limit)
    reply = answer.served.reply
    assert (reply.finish, reply.text_tokens) == ("length", 200 if provider == "xai" else 200 - reply.reasoning_tokens)
    words = {"anthropic": "max_tokens", "google": "MAX_TOKENS"}
    assert words.get(provider, "length").encode() in answer.body


def test_reasoning_can_use_up_the_whole_limit(simulated: Simulated) -> None:
    body = simulated.body("openai", "write a parser", model="gpt-5", max_completion_tokens=50)
    document = simulated.ask("openai", body).documents[0]
    assert document["choices"][0]["message"]["content"] == ""
    assert document["choices"][0]["finish_reason"] == "length"
    assert document["usage"]["completion_tokens"] == 50


def test_a_stop_sequence_ends_the_text_before_it(simulated: Simulated) -> None:
    body = simulated.body("anthropic", "create a REST API for books", stop_sequences=["import"])
    document = simulated.ask("anthropic", body).documents[0]
    assert (document["stop_reason"], document["stop_sequence"]) == ("stop_sequence", "import")
    assert "import" not in document["content"][0]["text"]


@pytest.mark.parametrize("fault", ["refusal", "content_filter"])
def test_a_model_that_thinks_in_its_text_has_thought_nothing_where_there_is_no_text(
    simulated: Simulated, fault: str
) -> None:
    answer = simulated.prompt("perplexity", f"write [[sandbox fault={fault}]]", model="sonar-reasoning-pro")
    usage = answer.served.usage
    assert usage.reasoning == 0
    assert answer.documents[0]["usage"]["completion_tokens"] == usage.output
