"""Vectors by WordLlama's model, whose weights lie in its wheel: `pip install monkey-coder-server[semantic]`.

Its own loader fetches files that it does not find; here two files are read where it is installed, and nothing else.
"""

import asyncio
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from monkey_coder_server.ports.embedding import Vector

_PACKAGES = ("wordllama", "tokenizers", "safetensors", "numpy")
_WEIGHTS, _TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"


def missing() -> str | None:
    """What to do before a model can be loaded; None when all of it is installed. Imports nothing."""
    if lacking := [name for name in _PACKAGES if find_spec(name) is None]:
        return f"{', '.join(lacking)} not installed; `pip install monkey-coder-server[semantic]` brings what is needed"
    if absent := [name for name in (_WEIGHTS, _TOKENIZER) if not (_folder() / name).is_file()]:
        return f"the installed wordllama has no {' and no '.join(absent)}; install monkey-coder-server[semantic] again"
    return None


class WordLlama:
    """`ports.embedding.Embedding`: the mean of the vectors of a text's tokens. 16 MB; under a millisecond a text."""

    def __init__(self) -> None:
        """Reads the files. Raises `ImportError` or `OSError` where `missing` has something to say."""
        self.name = f"wordllama-{version('wordllama')}-l2-supercat-256"
        self._numpy = import_module("numpy")
        self._tokenizer = import_module("tokenizers").Tokenizer.from_file(str(_folder() / _TOKENIZER))
        with import_module("safetensors").safe_open(str(_folder() / _WEIGHTS), framework="np") as weights:
            self._weights: Any = weights.get_tensor("embedding.weight")

    async def vector(self, text: str) -> Vector:
        """In a thread: who does not ask for it does not wait for it."""
        return await asyncio.to_thread(self.vector_of, text)

    def vector_of(self, text: str) -> Vector:
        """At once. A text without a token has the vector that is like no other: nothing but zeros."""
        tokens = self._tokenizer.encode(text, add_special_tokens=False).ids
        if not tokens:
            return [0.0] * int(self._weights.shape[1])
        mean = self._weights[tokens].mean(axis=0, dtype=self._numpy.float32)
        found: list[float] = (mean / self._numpy.linalg.norm(mean)).tolist()
        return found


def _folder() -> Path:
    spec = find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise ImportError("wordllama is not installed")
    return Path(spec.origin).parent
