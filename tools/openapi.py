"""Writes docs/reference/openapi.json, the document a gateway serves at `/v1/openapi.json`.

`python -m tools.openapi` writes the file; `python -m tools.openapi --check` exits 1 when it is not current.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monkey_coder_protocol.version import VERSION
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.settings import load
from monkey_coder_server.web.openapi import document

LINES_BELOW = 3
"""How deep in the document one line holds the rest."""
TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference" / "openapi.json"


async def openapi() -> str:
    """The document as the file holds it."""
    with tempfile.TemporaryDirectory(prefix="monkey-openapi-") as folder:
        async with open_gateway(load({}, folder=Path(folder))) as gateway:
            routes = {(route.path, route.method): route for _, route in gateway.application.routes}
    made = document(routes.values(), version=VERSION, base_url="http://localhost:8000")
    return _text(made) + "\n"


def _text(value: Any, depth: int = 0) -> str:
    """JSON with a line for each path, schema and response, so that changes can be read."""
    if depth == LINES_BELOW or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    lines = [f"{json.dumps(name)}: {_text(each, depth + 1)}" for name, each in value.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def main(arguments: Sequence[str]) -> int:
    """Write the document, or with `--check` say whether it is current."""
    text = asyncio.run(openapi())
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.name} is not current; run `python -m tools.openapi`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
