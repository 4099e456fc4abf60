"""The pages on other tools: their configuration can be read, their links lead somewhere, their models exist."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.catalog import Catalog

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
PAGES = sorted(HOW_TO.glob("*.md"))
ABOUT_NO_MODEL = {
    "account.md",
    "alerts.md",
    "audit.md",
    "leaked-keys.md",
    "prices.md",
    "pay.md",
    "log-in.md",
    "mail.md",
    "mfa.md",
    "exports.md",
    "migrations.md",
    "operators.md",
    "postgresql.md",
    "redis.md",
    "many-processes.md",
    "quotes.md",
    "reconcile.md",
}
ABOUT_NO_MODEL |= {
    "organizations.md",
    "work-in-an-organization.md",
    "sign-in.md",
    "simulated-stripe.md",
    "stripe.md",
    "business.md",
    "plans.md",
    "promotions.md",
    "invoices.md",
    "usage.md",
}
CATALOG = Catalog(card for provider in PROVIDERS for card in provider.offers)
GATEWAY = "http://127.0.0.1:8000"
# What stands before a model's name where a tool wants to know its dialect, or what it calls the gateway.
PREFIXES = ("openai/auto", "openai/mk-", "openai/google/", "monkey/")
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_PINNED = re.compile(r"(?<![\w./@-])(?:claude-)?(?:mk-)?(?:openai|anthropic|google|moonshot|xai|groq)/[\w./-]*\w")
_AUTO = re.compile(r"(?<![\w/-])(?:claude-mk-|mk-)?auto[:-]\w+")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Code blocks of a language, each with its page."""
    for page in PAGES:
        for written, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            if written == language:
                yield page.name, text


def models(text: str) -> set[str]:
    """What a page names as a model."""
    return {
        name.removeprefix("openai/") if name.startswith(PREFIXES) else name
        for name in {*_PINNED.findall(text), *_AUTO.findall(text)}
    }


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, keys too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_model_of_a_page_is_in_the_catalogue(page: Path) -> None:
    named = models(page.read_text(encoding="utf-8"))
    assert bool(named) != (page.name in ABOUT_NO_MODEL)
    for name in named:
        assert CATALOG.resolve(name).cards, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target, _ in _LINK.findall(page.read_text(encoding="utf-8")):
        assert not target or (page.parent / target).exists(), target


def test_the_index_names_every_page() -> None:
    index = (HOW_TO / "README.md").read_text(encoding="utf-8")
    assert {page.name for page in PAGES} - {"README.md"} == set(re.findall(r"\]\(([\w-]+\.md)\)", index))


def test_configuration_in_json_and_toml_can_be_read_and_points_to_the_gateway() -> None:
    documents = [json.loads(text) for _, text in blocks("json")] + [tomllib.loads(text) for _, text in blocks("toml")]
    assert len(documents) >= 4
    addresses = [text for document in documents for text in texts(document) if text.startswith("http://")]
    assert len(addresses) >= 3
    for address in addresses:
        assert address.removeprefix(GATEWAY) in {"", "/v1", "/v1beta", "/v1/models"}, address
