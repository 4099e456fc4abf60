"""The agents in each of their modes, configured as `docs/how-to/` tells users to."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.agents.installed import command, run
from tests.agents.job import CONTENT, FILE, Job, Mode, Setup

KEY = "MONKEY_CODER_API_KEY"
OPENAI = "openai/gpt-4.1-mini"
ANTHROPIC = "anthropic/claude-haiku-4-5"
GOOGLE = "google/gemini-3.5-flash"
GROQ = "groq/llama-3.3-70b-versatile"
XAI = "xai/grok-4.3"
PERPLEXITY = "perplexity/sonar-pro"
MOONSHOT = "moonshot/kimi-k2.6"
GPT = "openai/gpt-6-luna"
"""Spoken to in Responses."""
ALL = (OPENAI, GPT, ANTHROPIC, GOOGLE, GROQ, XAI, MOONSHOT)
"""With tools; Perplexity has none."""


_SHELL = f"cat > {FILE} <<'EOF'\n{CONTENT}EOF\n"
_ADDED = "".join(f"+{line}\n" for line in CONTENT.splitlines())
_PATCH = f"*** Begin Patch\n*** Add File: {FILE}\n{_ADDED}*** End Patch\n"


def _claude(variable: str) -> Callable[[Job], Setup]:
    def prepare(job: Job) -> Setup:
        environment = {
            "ANTHROPIC_BASE_URL": job.base_url,
            variable: job.key,
            "ANTHROPIC_MODEL": job.model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": job.model,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        }
        options = ["-p", job.prompt, "--allowedTools", "Write", "--output-format", "json"]
        script = {"tool": "Write", "args": {"file_path": str(job.target), "content": CONTENT}}
        return Setup([*command("claude"), *options], script, environment)

    return prepare


def _opencode(package: str, path: str) -> Callable[[Job], Setup]:
    def prepare(job: Job) -> Setup:
        provider = {
            "npm": package,
            "name": "Monkey Coder",
            "options": {"baseURL": job.base_url + path, "apiKey": f"{{env:{KEY}}}"},
            "models": {job.model: {"name": job.model, "limit": {"context": 128_000, "output": 8_000}}},
        }
        settings = {"provider": {"monkey": provider}, "permission": {"edit": "allow"}}
        (job.work / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")
        environment = {
            KEY: job.key,
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }
        options = ["run", "-m", f"monkey/{job.model}", job.prompt]
        script = {"tool": "write", "args": {"filePath": str(job.target), "content": CONTENT}}
        if job.model == GPT:  # opencode gives models of that name a tool for patches instead
            script = {"tool": "apply_patch", "args": {"patchText": _PATCH}}
        return Setup([*command("opencode"), *options], script, environment)

    return prepare


def _gemini(job: Job) -> Setup:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True},
        "privacy": {"usageStatisticsEnabled": False},
    }
    folder = job.home / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    environment = {"GEMINI_API_KEY": job.key, "GOOGLE_GEMINI_BASE_URL": job.base_url}
    model = ["-m", job.model] if job.model else []
    options = [*model, "--approval-mode", "auto_edit", "--skip-trust", "-p", job.prompt]
    script = {"tool": "write_file", "args": {"file_path": str(job.target), "content": CONTENT}}
    return Setup([*command("gemini"), *options], script, environment)


_FENCE = "```"
_EDITS = {
    "whole": f"{FILE}\n{_FENCE}\n{CONTENT}{_FENCE}",
    "diff": f"{FILE}\n{_FENCE}\n<<<<<<< SEARCH\n=======\n{CONTENT}>>>>>>> REPLACE\n{_FENCE}",
    "diff-fenced": f"{_FENCE}\n{FILE}\n<<<<<<< SEARCH\n=======\n{CONTENT}>>>>>>> REPLACE\n{_FENCE}",
    "udiff": f"{_FENCE}diff\n--- /dev/null\n+++ {FILE}\n@@ ... @@\n{_ADDED}{_FENCE}",
}


def _aider(edits: str, prefix: str = "openai") -> Callable[[Job], Setup]:
    def prepare(job: Job) -> Setup:
        prices = job.home / ".aider" / "caches"
        prices.mkdir(parents=True)
        (prices / "model_prices_and_context_window.json").write_text("{}", encoding="utf-8")
        environment = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "OPENAI_API_BASE": f"{job.base_url}/v1",
            "OPENAI_API_KEY": job.key,
            "ANTHROPIC_API_BASE": job.base_url,
            "ANTHROPIC_API_KEY": job.key,
            "GEMINI_API_BASE": f"{job.base_url}/v1beta",
            "GEMINI_API_KEY": job.key,
        }
        quiet = ["--no-git", "--no-check-update", "--no-analytics", "--no-show-model-warnings", "--no-pretty"]
        asked = ["--yes-always", "--edit-format", edits, "--model", f"{prefix}/{job.model}", "--message", job.prompt]
        script = {"text": f"I write the file.\n\n{_EDITS[edits]}\n"}
        return Setup([*command("aider"), *quiet, *asked, FILE], script, environment)

    return prepare


_TOOL = '''
def write_greeting(name: str, content: str) -> str:
    """Write a text into a file."""
    with open(name, "w", encoding="utf-8") as file:
        file.write(content)
    return f"wrote {name}"
'''


def _llm(*, responses: bool = False, messages: bool = False) -> Callable[[Job], Setup]:
    def prepare(job: Job) -> Setup:
        tool = job.work / "tool.py"
        tool.write_text(_TOOL, encoding="utf-8")
        script = {"tool": "write_greeting", "args": {"name": FILE, "content": CONTENT}}
        asked = ["--functions", str(tool), job.prompt]
        if messages:
            environment = {"ANTHROPIC_BASE_URL": job.base_url, "ANTHROPIC_API_KEY": job.key}
            return Setup([*command("llm"), "-m", "claude-haiku-4.5", *asked], script, environment)
        endpoint = ["openai", "endpoint", f"{job.base_url}/v1", "-m", job.model, "--key", job.key]
        return Setup([*command("llm"), *endpoint, *(["--responses"] if responses else []), *asked], script)

    return prepare


def _codex(script: Mapping[str, Any], *, like: str | None = None, ours: bool = False) -> Callable[[Job], Setup]:
    """Codex chooses its tools by what a catalogue says of the model: its own of the model `like`, or `ours`."""

    def prepare(job: Job) -> Setup:
        home = job.home / ".codex"
        home.mkdir()
        provider = {"name": "Monkey Coder", "base_url": f"{job.base_url}/v1", "env_key": KEY, "wire_api": "responses"}
        if ours:
            provider["model_catalog_url"] = f"{job.base_url}/v1/models"
        lines = [f"model = {json.dumps(job.model)}", 'model_provider = "monkey"']
        if like is not None:
            path = home / "models.json"
            path.write_text(json.dumps({"models": [_known_to_codex(job, like)]}), encoding="utf-8")
            lines.append(f"model_catalog_json = {json.dumps(str(path))}")
        lines += ["[model_providers.monkey]", *(f"{name} = {json.dumps(value)}" for name, value in provider.items())]
        (home / "config.toml").write_text("\n".join(lines), encoding="utf-8")
        options = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", job.prompt]
        return Setup([*command("codex"), *options], script, {KEY: job.key})

    return prepare


def _known_to_codex(job: Job, like: str) -> dict[str, Any]:
    """What Codex's own catalogue says of a model, under our name."""
    asked = [*command("codex"), "debug", "models"]
    listed = run(asked, home=job.home, work=job.work, environment={}, patience=30.0).output
    models = json.loads(listed[listed.index('{"') :])["models"]
    return {**next(model for model in models if model["slug"] == like), "slug": job.model}


_FUNCTION = {"tool": "exec_command", "args": {"cmd": _SHELL}}
_CUSTOM = {"tool": "apply_patch", "args": {"input": _PATCH}}
_CODE = {"tool": "exec", "args": {"input": f"const done = await tools.exec_command({{cmd: {json.dumps(_SHELL)}}});"}}

MODES = (
    Mode("claude, bearer token", _claude("ANTHROPIC_AUTH_TOKEN"), ALL),
    Mode("claude, x-api-key", _claude("ANTHROPIC_API_KEY"), (OPENAI, ANTHROPIC, GOOGLE)),
    Mode("codex, functions", _codex(_FUNCTION), tuple(model for model in ALL if model != GPT)),
    Mode("codex, functions by our catalogue", _codex(_FUNCTION, ours=True), (ANTHROPIC, GOOGLE, MOONSHOT)),
    Mode("codex, free-form patch", _codex(_CUSTOM, like="gpt-5.5"), ALL),
    Mode("codex, code", _codex(_CODE, like="gpt-6.1-sol"), ALL),
    Mode("codex, code by the model's name", _codex(_CODE), (GPT,)),
    Mode("opencode, chat", _opencode("@ai-sdk/openai-compatible", "/v1"), ALL),
    Mode("opencode, responses", _opencode("@ai-sdk/openai", "/v1"), ALL),
    Mode("opencode, messages", _opencode("@ai-sdk/anthropic", "/v1"), ALL),
    Mode("opencode, gemini", _opencode("@ai-sdk/google", "/v1beta"), ALL),
    Mode("gemini, a model named", _gemini, ALL),
    Mode("aider, whole", _aider("whole"), (OPENAI, ANTHROPIC, PERPLEXITY)),
    Mode("aider, diff", _aider("diff"), (OPENAI, GOOGLE, GROQ)),
    Mode("aider, diff-fenced", _aider("diff-fenced"), (GOOGLE, MOONSHOT, XAI)),
    Mode("aider, udiff", _aider("udiff"), (OPENAI, ANTHROPIC, XAI)),
    Mode("aider, messages", _aider("diff", "anthropic"), (ANTHROPIC, GOOGLE, OPENAI)),
    Mode("aider, gemini", _aider("diff", "gemini"), (GOOGLE, ANTHROPIC, GROQ)),
    Mode("llm, chat", _llm(), (OPENAI, ANTHROPIC, GOOGLE, GROQ)),
    Mode("llm, responses", _llm(responses=True), (OPENAI, ANTHROPIC, GOOGLE)),
)
