"""Which object an event is about: what is looked up anew, whatever the event itself says of it."""

from collections.abc import Mapping

NOTHING = ("", "")
_BY_PREFIX = (
    ("payment_intent.", "payment", "id"),
    ("charge.dispute.", "payment", "payment_intent"),
    ("charge.refund.", "payment", "payment_intent"),
    ("charge.", "payment", "payment_intent"),
    ("refund.", "payment", "payment_intent"),
    ("radar.early_fraud_warning.", "payment", "payment_intent"),
    ("invoice_payment.", "invoice", "invoice"),
    ("invoice.", "invoice", "id"),
    ("customer.subscription.", "subscription", "id"),
    ("customer.tax_id.", "customer", "customer"),
    ("payment_method.", "customer", "customer"),
    ("setup_intent.", "customer", "customer"),
)
"""Kinds of events by how they begin, what they are about, and the field that holds its id; the longest first."""
_CUSTOMER = frozenset({"customer.created", "customer.updated", "customer.deleted"})
_NO_INVOICE_YET = "invoice.upcoming"
"""It announces an invoice that has no id."""


def subject_of(kind: str, of: Mapping[str, object], before: Mapping[str, object]) -> tuple[str, str]:
    """What an event is about and its id there: two empty texts for what concerns nothing of ours.

    `of` is the event's object, `before` those of its fields that changed, as they were: a card that was detached says
    only there whose it was.
    """
    if kind.startswith("checkout.session."):
        return _of_page(of)
    if kind in _CUSTOMER:
        return _named("customer", of.get("id"))
    if kind == _NO_INVOICE_YET:
        return NOTHING
    for beginning, about, field in _BY_PREFIX:
        if kind.startswith(beginning):
            return _named(about, of.get(field) or before.get(field))
    return NOTHING


def _of_page(page: Mapping[str, object]) -> tuple[str, str]:
    """A page of Checkout is about what was paid, subscribed to, or whose card was saved there."""
    if page.get("mode") == "subscription":
        return _named("subscription", page.get("subscription"))
    if page.get("mode") == "setup":
        return _named("customer", page.get("customer"))
    return _named("payment", page.get("payment_intent"))


def _named(about: str, value: object) -> tuple[str, str]:
    """An id, also of an object that is sent whole."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return (about, value) if isinstance(value, str) and value else NOTHING
