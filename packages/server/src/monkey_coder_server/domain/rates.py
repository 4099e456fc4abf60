"""Rates: how many requests and tokens a minute, and how many requests at once, and which of these count for a caller.

A rule is held by an account or the organization it is, by a team or a project of it or by one API key, for every model
or for one. Beside these the operator's settings may bound the whole gateway and each network address. All of them
count together: a request must fit into every one, so another rule never allows more. The one figure that stands in
place of another is a key's own rate, for a key that names none there is the setting's.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.limits import MODEL_SCOPE, Holder, HolderKind, holders, named


class Measure(StrEnum):
    """What is counted: of `REQUESTS` and `TOKENS` so many a minute, of `CONCURRENCY` so many requests at once."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENCY = "concurrency"


MOST = 10**12
"""The highest figure of a rule. A million million a minute is no limit any more."""
REMEMBERED = 4_096
"""Questions whose answer is kept: of keys in use now, with what they ask for."""
GATEWAY = "gateway"
"""Whose the bound is that counts for all requests together."""
ADDRESS = "address"
"""Whose the bound is that counts for one network address."""


class RateRule(NamedTuple):
    """At most `allowed` of a measure for its holder. `model` (`provider/model`) narrows it to requests for that one."""

    holder: Holder
    measure: Measure
    allowed: int
    model: str = ""


class Source(StrEnum):
    """Where a figure comes from."""

    SETTING = "setting"
    OPERATOR = "operator"
    ORGANIZATION = "organization"
    TEAM = "team"
    PROJECT = "project"
    KEY = "key"


SOURCE_OF: Mapping[HolderKind, Source] = MappingProxyType(
    {
        HolderKind.ACCOUNT: Source.OPERATOR,
        HolderKind.ORGANIZATION: Source.ORGANIZATION,
        HolderKind.TEAM: Source.TEAM,
        HolderKind.PROJECT: Source.PROJECT,
        HolderKind.KEY: Source.KEY,
    }
)
"""Who says what a holder may: an account's figures are the gateway's operator's."""


class Bound(NamedTuple):
    """A figure a request must fit in. `subject` is what is counted under: one for each holder, measure and model.

    `holder` is `gateway`, `address` or the kind of a holder; `setting` names the variable of one that is a setting's.
    """

    subject: str
    measure: Measure
    allowed: int
    holder: str
    holder_id: str
    source: Source
    model: str = ""
    setting: str = ""

    @classmethod
    def of(cls, account_id: str, rule: RateRule) -> "Bound":
        """The bound a rule of an account makes."""
        kind, holder_id = rule.holder
        subject = _subject(account_id, rule.holder, rule.measure, rule.model)
        return cls(subject, rule.measure, rule.allowed, kind.value, holder_id, SOURCE_OF[kind], rule.model)

    @property
    def name(self) -> str:
        """What refusals call it: `key_requests`, `gateway_concurrency`, `model_tokens`."""
        return f"{MODEL_SCOPE if self.model else self.holder}_{self.measure}"

    @property
    def told(self) -> str:
        """The figure and whose it is, as a clause: `600 requests a minute of this API key`."""
        whose = _HOUSE.get(self.holder) or named(Holder(HolderKind(self.holder), self.holder_id))
        model = f" for the model {self.model}" if self.model else ""
        return f"{counted(self.measure, self.allowed)} of {whose}{model}"


_COUNTED: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.REQUESTS: "requests a minute",
        Measure.TOKENS: "tokens a minute",
        Measure.CONCURRENCY: "requests at once",
    }
)
_HOUSE: Mapping[str, str] = MappingProxyType({GATEWAY: "the whole gateway", ADDRESS: "this network address"})


class SetRate(NamedTuple):
    """A figure of the operator's settings, and the variable it stands in."""

    measure: Measure
    allowed: int
    setting: str


class HouseRates(NamedTuple):
    """The operator's settings: for the whole gateway, for each network address, and for a key that names no rate."""

    key: SetRate
    gateway: tuple[SetRate, ...] = ()
    address: tuple[SetRate, ...] = ()


class Caller(NamedTuple):
    """Who asks. `key_id` is the session's for a person; `rate` the requests a minute that the key itself names."""

    account_id: str
    key_id: str
    project_id: str | None = None
    team_id: str | None = None
    rate: int | None = None
    address: str = ""

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Whose rules count, widest first."""
        return holders(self.account_id, self.key_id, self.project_id, self.team_id)


def counted(measure: Measure, figure: int) -> str:
    """A figure with what it counts: `600 requests a minute`."""
    return f"{figure} {_COUNTED[measure]}"


def bounds(
    caller: Caller, rules: Iterable[RateRule], house: HouseRates, models: Iterable[str] = ()
) -> tuple[Bound, ...]:
    """Every figure that counts for a request of a caller to any of `models`, the widest holder first.

    Rules of other holders and of other models are passed over, so all of an account's may be given. Those on one
    model count beside those on every model; of two on the same subject the lower counts. Equal questions are answered
    from memory.
    """
    wide, narrow = _bounds(caller._replace(address=""), tuple(rules), house, tuple(models))
    if not caller.address or not house.address:
        return wide + narrow
    return (*wide, *[_of_house(ADDRESS, caller.address, rate) for rate in house.address], *narrow)


@lru_cache(maxsize=REMEMBERED)
def _bounds(
    caller: Caller, rules: tuple[RateRule, ...], house: HouseRates, models: tuple[str, ...]
) -> tuple[tuple[Bound, ...], tuple[Bound, ...]]:
    """Those of the whole gateway, and those of the caller's holders."""
    counting = caller.holders
    ruling = [rule for rule in rules if rule.holder in counting and (not rule.model or rule.model in models)]
    ruling.sort(key=lambda rule: counting.index(rule.holder))
    least: dict[str, Bound] = {}
    for bound in (*[Bound.of(caller.account_id, rule) for rule in ruling], _own(caller, house.key)):
        known = least.get(bound.subject)
        least[bound.subject] = bound if known is None or bound.allowed < known.allowed else known
    return tuple([_of_house(GATEWAY, "", rate) for rate in house.gateway]), tuple(least.values())


def _of_house(holder: str, holder_id: str, rate: SetRate) -> Bound:
    subject = f"{rate.measure}:{holder}:{holder_id}"
    return Bound(subject, rate.measure, rate.allowed, holder, holder_id, Source.SETTING, setting=rate.setting)


def _own(caller: Caller, usual: SetRate) -> Bound:
    """What the key itself may: by its own rate, else by the setting for all keys that name none."""
    holder = Holder(HolderKind.KEY, caller.key_id)
    subject = _subject(caller.account_id, holder, usual.measure, "")
    if caller.rate is not None:
        return Bound(subject, usual.measure, caller.rate, holder.kind.value, holder.id, Source.KEY)
    return Bound(
        subject, usual.measure, usual.allowed, holder.kind.value, holder.id, Source.SETTING, setting=usual.setting
    )


def _subject(account_id: str, holder: Holder, measure: Measure, model: str) -> str:
    """Ids of projects are an account's own, so its id is part of it; what a caller chose freely stands last."""
    return f"{measure}:{account_id}:{holder.kind}:{holder.id}:{model}"
