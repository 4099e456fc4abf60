"""What a caller wants of the choice of a model, and what was chosen."""

from collections.abc import Mapping
from types import MappingProxyType

_NO_MODELS: Mapping[str, str] = MappingProxyType({})


def _no_models() -> Mapping[str, str]:
    return _NO_MODELS
