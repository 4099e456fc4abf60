"""Models as the gateway knows them: cards of facts, and names resolved to candidates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType

from monkey_coder_server.domain.errors import InvalidRequest, ModelNotFound
from monkey_coder_server.domain.historic_names import historic_successors
from monkey_coder_server.domain.house_names import plain_name


class Capability(StrEnum):
    """What a model can do beyond text in, text out."""

    TOOLS = "tools"
    VISION = "vision"
    DOCUMENTS = "documents"
    STRUCTURED = "structured_output"
    REASONING = "reasoning"
    STREAMING = "streaming"
    PROMPT_CACHE = "prompt_cache"


class Kind(StrEnum):
    """What a model is for; a request for one kind is never served by another."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    MODERATION = "moderation"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts of one model at one provider, in tokens.

    `tier` is the vendor's own ladder: 1 flagship, 2 middle, 3 small. `source` names where the facts were read,
    `checked` when (ISO date). `inputs` is how many inputs, each within the context window, one request may hold.
    """

    provider: str
    model: str
    display_name: str
    context_window: int
    max_output_tokens: int
    capabilities: frozenset[Capability]
    tier: int
    aliases: tuple[str, ...] = ()
    fixed_temperature: bool = False
    """The model refuses any temperature but its default."""
    source: str = ""
    checked: str = ""
    kind: Kind = Kind.CHAT
    inputs: int = 1
    name: str = field(init=False, repr=False, compare=False)
    """`provider/model`, the unambiguous public name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", f"{self.provider}/{self.model}")

    @property
    def most_input_tokens(self) -> int:
        """What all inputs of one request can come to."""
        return self.context_window * self.inputs


class Mode(StrEnum):
    """What the router is to prefer; `PINNED` when the caller named a model."""

    BALANCED = "balanced"
    CHEAP = "cheap"
    FAST = "fast"
    BEST = "best"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a model name stands for: the cards it may be served by. `asked` is the name as it came.

    `historic` when the name is an old one and `cards` are its stated replacement.
    """

    asked: str
    mode: Mode
    cards: tuple[ModelCard, ...]
    historic: bool = False


AUTO = "auto"
PROVIDER_ALIASES: Mapping[str, str] = MappingProxyType({"grok": "xai", "gemini": "google", "claude": "anthropic"})
"""Other words for a provider in a model name. `grok` is what older clients of this service send."""

_AUTO_MODES = {"": Mode.BALANCED, "balanced": Mode.BALANCED, "cheap": Mode.CHEAP, "fast": Mode.FAST, "best": Mode.BEST}


class Catalog:
    """All cards by every name they go by. Names are compared without regard to case."""

    def __init__(self, cards: Iterable[ModelCard], aliases: Mapping[str, str] = PROVIDER_ALIASES) -> None:
        self.cards = tuple(cards)
        self.providers = tuple(dict.fromkeys(card.provider for card in self.cards))
        self._of_kind = {kind: _of(kind, self.cards) for kind in (*Kind, None)}
        self._aliases = aliases
        self._pinned: dict[tuple[str, str], ModelCard] = {}
        self._bare: dict[str, dict[str, ModelCard]] = {}
        for own_ids in (True, False):
            for card in self.cards:
                for name in _ids(card) if own_ids else _other_names(card):
                    self._pinned.setdefault((card.provider, name), card)
                    self._bare.setdefault(name, {}).setdefault(card.provider, card)

    def card(self, provider: str, model: str) -> ModelCard | None:
        """The card of a model at a provider, by its id or an alias."""
        return self._pinned.get((self._provider(provider.casefold()), model.casefold()))

    def resolve(self, name: str | None, kind: Kind | None = Kind.CHAT) -> Selection:
        """What a caller's model name stands for among the models of a kind (None: of any); no name is `auto`.

        Raises `ModelNotFound` naming near matches, `InvalidRequest` for a model of another kind.
        """
        asked = (name or AUTO).strip()
        folded = plain_name(asked.casefold().removeprefix("models/"))
        head, _, mode = folded.partition(":")
        if head == AUTO and mode in _AUTO_MODES:
            return Selection(asked, _AUTO_MODES[mode], self._of_kind[kind])
        found = self._served(folded)
        cards = _of(kind, found)
        if cards:
            return Selection(asked, Mode.PINNED, cards)
        for successor in () if found else historic_successors(folded):
            cards = _of(kind, self._served(successor))
            if cards:
                return Selection(asked, Mode.PINNED, cards, historic=True)
        raise _of_another_kind(found[0], kind) if found else self._not_found(asked, folded)

    def provider(self, name: str) -> str | None:
        """The catalogue's word for a provider's name or alias; None when there is none."""
        found = self._provider(name.strip().casefold())
        return found if found in self.providers else None

    def _served(self, folded: str) -> tuple[ModelCard, ...]:
        head, slash, rest = folded.partition("/")
        pinned = self._pinned.get((self._provider(head), rest)) if slash else None
        if pinned is not None:
            return (pinned,)
        return tuple(self._bare.get(folded, {}).values())

    def _provider(self, folded: str) -> str:
        return self._aliases.get(folded, folded)

    def _not_found(self, asked: str, folded: str) -> ModelNotFound:
        names = {card.name.casefold(): card.name for card in self.cards}
        tails = {name.rpartition("/")[2]: name for name in names}
        near = [tails[tail] for tail in get_close_matches(folded.rpartition("/")[2], tails, n=3, cutoff=0.6)]
        hint = f"near names are {', '.join(names[name] for name in near)}" if near else "GET /v1/models lists all names"
        shown = asked if len(asked) <= 80 else f"{asked[:77]}..."
        return ModelNotFound(f"There is no model named {shown!r}; {hint}.", facts={"model": shown})


def _of(kind: Kind | None, cards: tuple[ModelCard, ...]) -> tuple[ModelCard, ...]:
    return tuple(card for card in cards if kind is None or card.kind is kind)


def _of_another_kind(card: ModelCard, wanted: Kind | None) -> InvalidRequest:
    message = f"{card.name} is a model for {card.kind}, not for {wanted}; GET /v1/models says what each model is for."
    return InvalidRequest(message, facts={"model": card.name})


def _ids(card: ModelCard) -> tuple[str, ...]:
    return (card.model.casefold(),)


def _other_names(card: ModelCard) -> tuple[str, ...]:
    """Aliases, and the last part of an id that carries its maker (`openai/gpt-oss-120b` at Groq)."""
    tail = card.model.casefold().rpartition("/")[2]
    return (*(alias.casefold() for alias in card.aliases), tail)
