"""Who is asking."""

from datetime import datetime

from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_rules import ModelAccess, ModelRule, access_of
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.ports.record import Record


class Principal(Record, frozen=True):
    """An authenticated caller: exactly one of `key` and `session_id` is set, or neither for an anonymous one.

    `account_id` is the account the request acts for, a person's own or that of an organization; `role` is what a
    person is in it, and `scopes` what the caller may do there.
    """

    account_id: str = ""
    user_id: str = ""
    key: KeyRecord | None = None
    session_id: str | None = None
    session_expires: int | None = None
    """Unix seconds."""
    scopes: frozenset[str] = frozenset()
    role: Role | None = None
    confirmed_at: datetime | None = None
    """When a person last proved with every factor they have that it is them."""
    impersonator: str = ""
    """The operator who acts as the person, in a session of theirs; empty for the person."""
    rules: tuple[ModelRule, ...] = ()
    """What the account, and team and project of the key, say about models; all of it counts."""
    plan: str = DEFAULT_PLAN
    """What the account pays by now; whoever takes a request on keeps it to its end."""
    second_factor: bool = False
    """Whether they proved a second one in this session."""
    second_factor_required: bool = False
    """Whether the organization they act for wants one of them."""
    key_id: str = ""
    """What the books note as the key: its id, or the session's id for a person."""

    @property
    def anonymous(self) -> bool:
        """Whether no credential was sent."""
        return not self.account_id

    @property
    def model_access(self) -> ModelAccess | None:
        """The models the caller may use; None for all."""
        key, rules = self.key, self.rules
        if key is not None and key.models is not None:
            rules = (*rules, ModelRule(Holder(HolderKind.KEY, key.key_id), key.models))
        return access_of(rules)


ANONYMOUS = Principal()
