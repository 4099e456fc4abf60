"""Two thousand mixed requests: what is asked, of whom, by whom, and what the simulators are told to do to it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests import books_responses

PROVIDERS = ("openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot")
MODELS = {
    "openai": ("gpt-4.1-mini", "gpt-5-mini", "o4-mini", "gpt-6-sol", "gpt-6-luna"),
    "anthropic": ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-8", "claude-sonnet-5", "claude-haiku-5-5"),
    "google": ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-3.8-flash", "gemini-3.1-flash-lite"),
    "groq": ("llama-3.3-70b-versatile", "openai/gpt-oss-120b", "qwen/qwen3-32b", "llama-3.1-8b-instant"),
    "xai": ("grok-3", "grok-3-mini", "grok-4.3", "grok-code-fast-1", "grok-4-1-fast-non-reasoning"),
    "perplexity": ("sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"),
    "moonshot": ("kimi-k2.6", "kimi-k3", "kimi-k2.7-code"),
}
"""Of each provider several, among them those that reason and those that bill cache writes."""
WITHOUT_TOOLS = frozenset({"perplexity"})
EMBEDDING_MODELS = (
    "openai/text-embedding-3-small",
    "google/gemini-embedding-2",
    "perplexity/pplx-embed-v1-4b",
    "openai/text-embedding-3-large",
    "perplexity/pplx-embed-v1-0.6b",
)
"""All that say how many tokens they billed: gemini-embedding-001 does not."""
LONG = (("anthropic/claude-haiku-5-5", 110_000), ("openai/gpt-6-luna", 280_000), ("xai/grok-4.3", 205_000))
"""Models whose price has a tier for long prompts, and prompt tokens beyond its start."""
FAULTS = {
    "400": "fault=400",
    "401": "fault=401",
    "429": "fault=429 retry_after=1",
    "quota": "fault=quota",
    "500": "fault=500",
    "529": "fault=529",
    "reset": "fault=reset",
    "cut": "fault=cut after={after}",
    "eof": "fault=eof after={after}",
    "garbage": "fault=garbage",
    "error_event": "fault=error_event after={after}",
    "slow": "fault=slow_first_byte delay=0.2",
    "empty": "fault=empty",
    "refusal": "fault=refusal",
    "content_filter": "fault=content_filter",
}
AFTER = 6
"""Frames after which an answer breaks at the latest: long before its end, so nobody can take it for complete."""
WISHES = (
    "create a REST API",
    "write a function that parses a CSV file",
    "explain what a binary search does",
    "write tests for a shopping cart",
    "build a command line todo list",
    "review this approach to caching",
    "write an LRU cache",
    "find the bug in a recursive Fibonacci function",
)
TASKS = ("code_generation", "code_review", "testing", "documentation", "debugging", "custom")
TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "write_file",
            "description": "Write a file.",
            "parameters": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
                "required": ["path", "content"],
            },
        },
    },
    {
        "name": "run_tests",
        "description": "Run the tests and tell how they went.",
        "parameters": {"type": "object", "properties": {"only": {"type": "string"}}},
    },
)

PER_PROVIDER = {
    "plain": 50,
    "plain, streamed": 50,
    "cached prompt": 24,
    "tools": 16,
    "tools, streamed": 16,
    "hang-up": 8,
    "hang-up, streamed": 24,
    "repeated id": 6,
} | {f"{fault}{way}": 2 for fault in FAULTS for way in ("", ", failover")}
"""How many of each kind every provider gets. Faults are streamed every other time."""
ELSEWHERE = {
    "auto": 60,
    "long prompt": 6,
    "no credit": 8,
    "little credit": 32,
    "capped key": 32,
    "embeddings": 50,
    "embeddings, fault": 20,
    "moderation": 10,
    "responses": 72,
    "responses, streamed": 72,
    "responses, hang-up": 18,
    "responses, fault": 66,
}
"""Kinds that name no provider, or one only by chance."""
TOTAL = 2_278


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `payer` names the key that asks, `leave` the seconds (whole) or reads (stream) until we hang up."""

    number: int
    kind: str
    provider: str
    payer: str
    stream: bool
    body: dict[str, Any] = field(repr=False)
    leave: float | None = None
    repeats: bool = False
    """Sent twice, one after the other, under the same id."""
    path: str = ""
    """Where it is sent; the native endpoints when empty."""


def traffic(seed: int) -> list[Ask]:
    """All requests in the order they are sent."""
    random = Random(seed)
    kinds = [(kind, provider) for provider in PROVIDERS for kind, count in _counts(provider) for _ in range(count)]
    kinds += [(kind, "any") for kind, count in ELSEWHERE.items() for _ in range(count)]
    kinds += [("auto", "any")] * (TOTAL - sum(2 if kind == "repeated id" else 1 for kind, _ in kinds))
    random.shuffle(kinds)
    seen: Counter[tuple[str, str]] = Counter()
    asks = []
    for number, place in enumerate(kinds):
        asks.append(_ask(number, *place, turn=seen[place], random=random))
        seen[place] += 1
    return asks


def _counts(provider: str) -> Iterator[tuple[str, int]]:
    for kind, count in PER_PROVIDER.items():
        if kind.startswith("tools") and provider in WITHOUT_TOOLS:
            continue
        yield kind, count


def _ask(number: int, kind: str, provider: str, *, turn: int, random: Random) -> Ask:
    """The request of one kind; `turn` counts the earlier ones of this kind at this provider."""
    base, _, manner = kind.partition(", ")
    if base in FAULTS:
        return _faulty(number, kind, provider, turn=turn, random=random)
    if provider == "any":
        return _elsewhere(number, kind, turn=turn, random=random)
    stream = manner == "streamed" or (base in {"cached prompt", "repeated id"} and turn % 2 == 1)
    models = MODELS[provider]
    body = _body(number, random, model=f"{provider}/{models[turn % len(models)]}", directive=_length(random))
    leave = None
    if base == "cached prompt":
        body["files"] = [{"path": f"{provider}.md", "content": _text(provider, 1_600 + 600 * (turn % 3)), "type": None}]
    elif base == "tools":
        _offer_tools(body, turn, random)
    elif base == "hang-up":
        body["prompt"] += " [[sandbox output_tokens=400 tokens_per_second=4000]]"
        leave = random.randint(0, 8) if stream else random.uniform(0.002, 0.15)
    elif base == "repeated id":
        body["task_id"] = f"repeated-{number}"
    return Ask(number, kind, provider, _rich(random), stream, body, leave, repeats=base == "repeated id")


def _faulty(number: int, kind: str, provider: str, *, turn: int, random: Random) -> Ask:
    """A fault at one provider: alone with it (the request fails), or with another one to go to."""
    fault, _, failover = kind.partition(", ")
    stream = turn % 2 == 1
    steering = FAULTS[fault].format(after=random.randint(0, AFTER)) + " output_tokens=400"
    model = random.choice(MODELS[provider])
    if not failover:
        body = _body(number, random, model=f"{provider}/{model}", directive=steering)
        return Ask(number, kind, provider, _rich(random), stream, body)
    filtered = f"model={model}" if turn % 4 == 3 else f"provider={provider}"
    body = _body(number, random, model="auto", directive=f"{steering} {filtered}")
    other = random.choice([name for name in PROVIDERS if name != provider])
    body["preferred_providers"] = [provider, other]
    body["model_preferences"] = {provider: model}
    return Ask(number, kind, provider, _rich(random), stream, body)


def _elsewhere(number: int, kind: str, *, turn: int, random: Random) -> Ask:
    if kind.startswith(("embeddings", "moderation")):
        return _without_a_word(number, kind, turn=turn, random=random)
    if kind.startswith("responses"):
        return _response(number, kind, turn=turn, random=random)
    stream = turn % 2 == 1
    if kind == "auto":
        name = ("auto", "auto:cheap", "auto:fast", "auto:best", None)[turn % 5]
        return Ask(number, kind, "any", _rich(random), stream, _body(number, random, model=name, directive=""))
    if kind == "long prompt":
        model, tokens = LONG[turn // 2]
        body = _body(number, random, model=model, directive=_length(random))
        body["files"] = [{"path": "long.txt", "content": _text(f"{model} {turn}", tokens), "type": None}]
        return Ask(number, kind, model.partition("/")[0], _rich(random), stream, body)
    payer = {"no credit": "empty", "little credit": "poor", "capped key": "capped"}[kind]
    provider = random.choice(PROVIDERS)
    model = f"{provider}/{random.choice(MODELS[provider])}"
    return Ask(number, kind, provider, payer, stream, _body(number, random, model=model, directive=_length(random)))


def _without_a_word(number: int, kind: str, *, turn: int, random: Random) -> Ask:
    """Requests whose answers are no text, in OpenAI's dialect."""
    model = EMBEDDING_MODELS[turn % len(EMBEDDING_MODELS)]
    if kind == "moderation":
        body: dict[str, Any] = {"input": f"{random.choice(WISHES)}, variant {number}"}
        return Ask(number, kind, "openai", _rich(random), stream=False, body=body, path="/v1/moderations")
    texts = [f"{random.choice(WISHES)}, variant {number}.{place}" for place in range(random.randint(1, 9))]
    body = {"model": model, "input": texts, "dimensions": random.choice((128, 512))}
    leave = None
    if kind == "embeddings":
        body["encoding_format"] = random.choice(("float", "base64"))
        leave = random.uniform(0.002, 0.1) if turn % 10 == 9 else None
    else:
        fault = ("429", "500", "reset", "cut", "garbage")[turn % 5]
        texts[0] += f" [[sandbox {FAULTS[fault].format(after=1)}]]"
    provider = model.partition("/")[0]
    return Ask(number, kind, provider, _rich(random), stream=False, body=body, leave=leave, path="/v1/embeddings")


def _response(number: int, kind: str, *, turn: int, random: Random) -> Ask:
    """A request in OpenAI Responses."""
    body = books_responses.body_of(f"{random.choice(WISHES)}, variant {number}", kind, turn=turn, random=random)
    provider, stream = str(body["model"]).partition("/")[0], "stream" in body
    leave = random.randint(0, 9) if kind.endswith("hang-up") else None
    return Ask(number, kind, provider, _rich(random), stream, body, leave, path=books_responses.PATH)


def _offer_tools(body: dict[str, Any], turn: int, random: Random) -> None:
    body["tools"] = list(TOOLS)
    match turn % 4:
        case 0:
            body["tool_choice"] = "auto"
            body["prompt"] += " [[sandbox tool=write_file,run_tests]]"
        case 1:
            body["prompt"] += f" [[sandbox tool=write_file parallel={random.randint(1, 3)}]]"
        case 2:
            body["prompt"] += ": use the run_tests tool"
        case _:
            body["tool_choice"] = "none"


def _body(number: int, random: Random, *, model: str | None, directive: str) -> dict[str, Any]:
    prompt = f"{random.choice(WISHES)}, variant {number}"
    body: dict[str, Any] = {
        "task_type": random.choice(TASKS),
        "prompt": f"{prompt} [[sandbox {directive}]]" if directive else prompt,
        "model": model,
    }
    if random.random() < 0.3:
        shortest = 400 if "fault=" in directive else 40
        body["context"] = {"max_tokens": random.choice((shortest, 500, 2_000)), "temperature": 0.3}
    if random.random() < 0.2:
        body["persona_config"] = {"persona": random.choice(("architect", "tester", "technical_writer"))}
    return body


def _length(random: Random) -> str:
    return f"output_tokens={random.randint(5, 300)}" if random.random() < 0.7 else ""


def _text(seed: str, tokens: int) -> str:
    """Text of about so many tokens by the simulators' count, four characters each; equal seeds share a beginning."""
    line = f"The service {seed} keeps one line of notes about itself here.\n"
    return (line * (tokens * 4 // len(line) + 1))[: tokens * 4]


def _rich(random: Random) -> str:
    return random.choice(("first", "second", "third"))
