"""What the request path needs from outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.model_facts import UNKNOWN, DataFacts
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.caching import CacheSettings
from monkey_coder_server.features.inference.decision_log import DecisionQueue
from monkey_coder_server.features.inference.health import Health
from monkey_coder_server.features.inference.hedge import HedgeFigures
from monkey_coder_server.features.inference.limits import Limits
from monkey_coder_server.features.inference.loops import LoopSettings
from monkey_coder_server.features.inference.patience import Patience
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.features.inference.prompt_caches import PromptCacheSettings
from monkey_coder_server.features.inference.response_cache import CacheCounts
from monkey_coder_server.ports.answers import Answers
from monkey_coder_server.ports.cache import Cache
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.embedding import Embedding
from monkey_coder_server.ports.ledger import Ledger
from monkey_coder_server.ports.lessons import Lessons
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.ports.quotes import Quotes
from monkey_coder_server.ports.routing_store import DecisionLog, EvidenceStore
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.ports.upstream import Upstream
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.sse import KEEP_ALIVE_SECONDS


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached: base URL and our keys there; none means it is not configured.

    `data` is what is known of what becomes of the data it is sent.
    """

    provider: Provider
    base_url: str
    keys: tuple[str, ...]
    data: DataFacts = UNKNOWN


@dataclass(frozen=True, slots=True)
class Options:
    """`loops` is how often an agent may send one request.

    Seconds: `keep_alive`, `shutdown`, and `lessons`, after which what was learnt is stored. `hedged`: a request that
    leaves the model open is asked of a second one, at the house's cost, when the first is late.
    """

    keep_alive: float = KEEP_ALIVE_SECONDS
    shutdown: float = 30.0
    lessons: float = 5.0
    attempt: AttemptSettings = field(default_factory=AttemptSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    patience: Patience = field(default_factory=Patience)
    loops: LoopSettings = field(default_factory=LoopSettings)
    hedged: bool = True
    cache: CacheSettings = field(default_factory=CacheSettings)
    prompt_caches: PromptCacheSettings = field(default_factory=PromptCacheSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """`prices` gives the book that is valid now, the same one until another replaces it.

    `problems` renders native errors; `health` is shared with whoever shows it, and so are `hedge_figures`,
    `cache_counts` and `decision_queue`. `embedding` None: no answer is given to other words than it was made for.
    """

    access: Sequence[Access]
    catalog: Catalog
    prices: Callable[[], PriceList]
    ledger: Ledger
    upstream: Upstream
    limits: Limits
    quotes: Quotes
    lessons: Lessons
    evidence: EvidenceStore
    verdicts: EvidenceStore
    texts: EvidenceStore
    decisions: DecisionLog
    answers: Answers
    cache: Cache
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    problems: NativeProblems
    health: Health = field(default_factory=Health)
    hedge_figures: HedgeFigures = field(default_factory=HedgeFigures)
    cache_counts: CacheCounts = field(default_factory=CacheCounts)
    embedding: Embedding | None = None
    decision_queue: DecisionQueue | None = None
    options: Options = field(default_factory=Options)
