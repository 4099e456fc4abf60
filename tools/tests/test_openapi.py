"""The committed OpenAPI document is the one the route table makes."""

import asyncio

import pytest

from tools.openapi import TARGET, openapi


@pytest.mark.system
def test_the_committed_document_is_current() -> None:
    assert TARGET.read_text(encoding="utf-8") == asyncio.run(openapi()), "run `python -m tools.openapi`"
