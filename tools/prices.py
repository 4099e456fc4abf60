"""Writes what the installed `genai-prices` states of the models we serve to `adapters/prices/stated.json`.

`python -m tools.prices`, after another `genai-prices` came into the lock or a model into `providers/`.
"""

import sys
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

from msgspec import json

from monkey_coder_server.adapters.prices import stated
from monkey_coder_server.adapters.prices.genai import extract
from monkey_coder_server.bootstrap.supplies import PROVIDERS

TARGET = Path(stated.__file__).with_name("stated.json")


def document() -> bytes:
    """The file as it has to be."""
    models = defaultdict[str, dict[str, stated.StatedModel]](dict)
    for provider in PROVIDERS:
        for card in provider.offers:
            if card.model not in provider.free:
                models[provider.prices_id][card.model] = extract(provider.prices_id, card.model)
    found = stated.Stated(version("genai-prices"), models)
    return json.format(json.encode(found, order="sorted"), indent=1) + b"\n"


def main() -> int:
    """Write it."""
    TARGET.write_bytes(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
