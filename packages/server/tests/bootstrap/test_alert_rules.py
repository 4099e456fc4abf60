"""The alert rules that are shipped, and the pages, name no metric the gateway does not export."""

import re
from pathlib import Path

import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.bootstrap.workers.staff import Staff
from monkey_coder_server.settings import load
from packages.server.tests.redis_server import SHARED

ROOT = Path(__file__).resolve().parents[4]
RULES = (ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8")
HEAD = "groups:\n  - name: monkey-coder\n    rules:\n"
RULE = re.compile(
    r"      - alert: (?P<name>[A-Z]\w+)\n"
    r"        expr: (?P<expr>.+)\n"
    r"(?:        for: \d+[mh]\n)?"
    r"        labels: \{severity: (?:page|ticket)\}\n"
    r"        annotations:\n"
    r'          summary: "(?P<summary>[^"\\]+)"\n'
)
OF_PROMQL = {"sum", "by", "rate", "increase", "delta", "time", "or"}
NOT_METRICS = {"monkey_coder_server", "monkey_coder_protocol", "monkey_coder_tests", "monkey_coder_api_key"}
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def named(expression: str) -> set[str]:
    """The metrics of an expression: what is left of its words without labels, ranges and functions."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)|\d+e\d+", " ", expression)
    return set(re.findall(r"[a-z_]{2,}", bare)) - OF_PROMQL


def written() -> list[re.Match[str]]:
    return list(RULE.finditer(RULES))


@pytest.fixture
async def exported(tmp_path: Path) -> set[str]:
    """Names of all samples a gateway of several workers may export, one that takes payments and shares limits."""
    stripe = {"STRIPE_SECRET_KEY": "rk_test_nobody", "STRIPE_WEBHOOK_SECRET": f"whsec_{'a' * 32}"}
    elsewhere = {"STRIPE_API_BASE": "http://127.0.0.1:9", "REDIS_URL": SHARED}
    settings = load({"DATA_DIR": str(tmp_path), **stripe, **elsewhere})
    async with open_gateway(settings) as gateway:
        told = gateway.metrics.text() + await Staff().figures()
    kinds = dict(re.findall(r"# TYPE (\w+) (\w+)\n", told.decode()))
    parts = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + part for name, kind in kinds.items() for part in parts.get(kind, ("",))}


def test_the_file_is_rules_from_its_head_to_its_end() -> None:
    """The shape Prometheus reads, which is checked here word by word."""
    comments, head, rules = RULES.partition(HEAD)
    assert head
    assert all(line.startswith("# ") for line in comments.splitlines())
    assert RULE.sub("", rules) == ""
    names = [rule["name"] for rule in written()]
    assert len(names) == len(set(names)) == RULES.count("alert:")


def test_every_metric_of_a_rule_is_exported(exported: set[str]) -> None:
    for rule in written():
        assert named(rule["expr"]), rule["name"]
        assert named(rule["expr"]) <= exported, rule["name"]


def test_every_metric_of_a_page_is_exported(exported: set[str]) -> None:
    found = {name for page in PAGES for name in re.findall(r"\bmonkey_coder_[a-z_]+\b", page.read_text("utf-8"))}
    assert "monkey_coder_books_away" in found
    assert found - NOT_METRICS <= exported
