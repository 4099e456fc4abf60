"""Counting and logging what happened."""

from monkey_coder_server.adapters.metrics.endpoint import MetricsEndpoint
from monkey_coder_server.adapters.metrics.log_format import configure_logging
from monkey_coder_server.adapters.metrics.registry import Metrics
from monkey_coder_server.adapters.metrics.summing import Sums

__all__ = ["Metrics", "MetricsEndpoint", "Sums", "configure_logging"]
