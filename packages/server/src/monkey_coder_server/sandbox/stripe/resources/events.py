"""Events: what happened, for a month, whether or not a webhook arrived."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import malformed
from monkey_coder_server.sandbox.stripe.routing import Route

KEPT_DAYS = 30


def _list(account: Account, parameters: Parameters) -> Object:
    kind = parameters.text("type")
    kinds = parameters.texts("types")
    if kind is not None and kinds:
        raise malformed("You may not specify both type and types.", "types")
    arrived = parameters.given_flag("delivery_success")
    oldest = account.now() - KEPT_DAYS * DAY

    def accepts(event: Object) -> bool:
        return (
            event["created"] >= oldest
            and (kind is None or _fits(event["type"], kind))
            and (not kinds or event["type"] in kinds)
            and (arrived is None or arrived == (event["pending_webhooks"] == 0))
        )

    return page(account, parameters, "event", accepts)


def _fits(kind: str, pattern: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("event", name)


ROUTES = (
    Route("GET", "/v1/events", _list),
    Route("GET", "/v1/events/{id}", _retrieve),
)
