"""Sockets to providers: an HTTP/1.1 client of our own on httptools."""

from monkey_coder_server.adapters.upstream.client import HttpUpstream
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits

__all__ = ["HttpUpstream", "UpstreamLimits"]
