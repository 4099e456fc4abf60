"""Counting and logging what happened."""

from monkey_coder_server.adapters.metrics.endpoint import MetricsEndpoint
from monkey_coder_server.adapters.metrics.log_format import configure_logging
from monkey_coder_server.adapters.metrics.registry import Metrics

__all__ = ["Metrics", "MetricsEndpoint", "configure_logging"]
