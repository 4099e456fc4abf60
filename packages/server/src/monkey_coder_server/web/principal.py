"""Who is asking."""

from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.ports.record import Record


class Principal(Record, frozen=True):
    """An authenticated caller: exactly one of `key` and `session_id` is set, or neither for an anonymous one."""

    account_id: str = ""
    user_id: str = ""
    key: KeyRecord | None = None
    session_id: str | None = None
    session_expires: int | None = None
    """Unix seconds."""

    @property
    def anonymous(self) -> bool:
        """Whether no credential was sent."""
        return not self.account_id

    @property
    def key_id(self) -> str:
        """What the books note as the key: its id, or the session's id for a person."""
        return self.key.key_id if self.key is not None else self.session_id or ""


ANONYMOUS = Principal()
