"""The request path: a task comes in, one model answers it, its exact price is settled."""

from monkey_coder_server.features.inference.caching import CacheSettings
from monkey_coder_server.features.inference.decision_log import DecisionQueue
from monkey_coder_server.features.inference.dependencies import Access, Dependencies, Options
from monkey_coder_server.features.inference.health import Health
from monkey_coder_server.features.inference.hedge import HedgeFigures
from monkey_coder_server.features.inference.limits import Limits
from monkey_coder_server.features.inference.loops import LoopSettings
from monkey_coder_server.features.inference.prompt_caches import PromptCacheSettings
from monkey_coder_server.features.inference.response_cache import CacheCounts
from monkey_coder_server.features.inference.wiring import build

__all__ = [
    "Access",
    "CacheCounts",
    "CacheSettings",
    "DecisionQueue",
    "Dependencies",
    "Health",
    "HedgeFigures",
    "Limits",
    "LoopSettings",
    "Options",
    "PromptCacheSettings",
    "build",
]
