"""Counting and logging what happened."""

from monkey_coder_server.adapters.metrics.log_format import configure_logging
from monkey_coder_server.adapters.metrics.registry import Metrics

__all__ = ["Metrics", "configure_logging"]
