"""Usage in sums, for reports: never more rows than there are hours, keys and models."""

from monkey_coder_server.ports.record import Record


class UsageSum(Record, frozen=True):
    """Requests of one key with one model and persona in one hour or day; `hour` counts whole hours since 1970 UTC.

    Of a day's sum, `hour` is its first. Money in nano-dollars, latency in milliseconds, both summed up.
    """

    hour: int
    key_id: str
    provider: str
    model: str
    persona: str
    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    price: int
    provider_cost: int
    latency_ms: int
    estimated: int
