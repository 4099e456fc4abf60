"""What an operator sees of a gateway that is asked for more than it can do."""

import contextlib
from collections.abc import Iterator

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.system.loop_lag import LoopLag
from monkey_coder_server.web.turnstile import Turnstile


@contextlib.contextmanager
def watch_overload(metrics: Metrics, turnstile: Turnstile) -> Iterator[None]:
    """Publish who waits, who was sent away and how late the event loop is, until the block ends."""
    track = metrics.track
    track("monkey_coder_requests_waiting", "Requests in line for their turn.", lambda: float(turnstile.waiting))
    track("monkey_coder_accounts_waiting", "Accounts in that line.", lambda: float(turnstile.accounts))
    track("monkey_coder_requests_shed", "Requests refused because too many waited.", lambda: float(turnstile.shed))
    lag = LoopLag()
    help_text = "The most the event loop was late since the last reading."
    track("monkey_coder_event_loop_lag_seconds", help_text, lag.worst)
    lag.start()
    try:
        yield
    finally:
        lag.stop()
