"""The audit trail as its account and an operator read it."""

from monkey_coder_server.features.audit.api import AuditRoutes
from monkey_coder_server.ports.audit_log import AuditLog
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.feature import Feature

__all__ = ["build"]


def build(log: AuditLog, clock: Clock) -> Feature:
    """The feature over the trail."""
    return Feature("audit", AuditRoutes(log, clock).routes())
