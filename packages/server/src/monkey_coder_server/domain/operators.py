"""What people who run the gateway are on its side. Each role is one scope; it says nothing of any account."""

from enum import StrEnum

from monkey_coder_server.domain.scopes import OPERATOR_ADMIN, OPERATOR_BILLING, OPERATOR_SUPPORT

OPERATOR = "operator"
"""The actor of what is done by the operator's commands."""


class OperatorRole(StrEnum):
    """Support looks at accounts, billing moves money, admin does both and gives the roles."""

    SUPPORT = "support"
    BILLING = "billing"
    ADMIN = "admin"

    @property
    def scope(self) -> str:
        """What the role may do."""
        return _SCOPES[self]


_SCOPES = {
    OperatorRole.SUPPORT: OPERATOR_SUPPORT,
    OperatorRole.BILLING: OPERATOR_BILLING,
    OperatorRole.ADMIN: OPERATOR_ADMIN,
}


def acting_name(user_id: str) -> str:
    """How trails and sessions name a person who acts as an operator: apart from what they do as a customer."""
    return f"{OPERATOR}:{user_id}"
