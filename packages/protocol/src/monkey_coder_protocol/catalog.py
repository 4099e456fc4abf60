"""`GET /v1/models`, `/v1/providers`, `/v1/capabilities`."""

import msgspec

EPOCH = "1970-01-01T00:00:00Z"
"""What Anthropic's API says of a model whose release date is unknown."""


class ModelInfo(msgspec.Struct, kw_only=True):
    """A model as OpenAI and Anthropic list it, with the gateway's facts.

    Prices are USD per million tokens, decimal strings; none for `auto`, which costs what the chosen model costs.
    """

    id: str
    object: str = "model"
    type: str = "model"
    created: int = 0
    created_at: str = EPOCH
    owned_by: str
    provider: str
    display_name: str
    context_window: int
    max_output_tokens: int
    capabilities: list[str]
    input_price_usd_per_mtok: str | None = None
    output_price_usd_per_mtok: str | None = None


class ModelList(msgspec.Struct, kw_only=True):
    """The OpenAI list, a page of Anthropic's, and the native provider-to-ids map in one body.

    `data` holds `auto` in its modes besides the `count` models of the map.
    """

    object: str = "list"
    data: list[ModelInfo]
    models: dict[str, list[str]]
    count: int
    provider_filter: str | None = None
    has_more: bool = False
    first_id: str | None = None
    last_id: str | None = None


class ProviderInfo(msgspec.Struct, kw_only=True):
    """`status`: `active`, `sandbox` (simulated) or `unconfigured`.

    `data_policies` are what it is known for, `no_training`, `retention_30_days` and `zero_retention`, where that was
    read in `data_policies_source`. What is not among them is unknown.
    """

    name: str
    type: str
    initialized: bool
    status: str
    healthy: bool
    models: int
    data_policies: list[str] = []
    data_policies_source: str | None = None


class ProviderList(msgspec.Struct, kw_only=True):
    """Providers by name."""

    providers: dict[str, ProviderInfo]
    count: int
    status: str


class Health(msgspec.Struct):
    """Exactly these four keys; `components` maps name to a word."""

    status: str
    version: str
    timestamp: str
    components: dict[str, str]
