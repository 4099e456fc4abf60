"""Sockets to providers, over aiohttp."""

from monkey_coder_server.adapters.upstream.client import AiohttpUpstream
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits

__all__ = ["AiohttpUpstream", "UpstreamLimits"]
