"""What the official SDK's own generated types say of each call to Stripe: one strict check a route.

Pydantic reads the TypedDicts of `stripe.params`. Unknown fields are refused on every level, and enums that the SDK
leaves open for what Stripe may add are closed: a word this SDK does not list is a mistake of ours.
"""

import sys
import types
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import pydantic
import typing_extensions
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

from monkey_coder_server.sandbox.stripe.simulator import Validator

PARAMETERS = {
    "POST /v1/customers": "_customer_create_params",
    "POST /v1/customers/{id}": "_customer_update_params",
    "DELETE /v1/customers/{id}": "_customer_delete_params",
    "POST /v1/checkout/sessions": "checkout._session_create_params",
    "POST /v1/checkout/sessions/{id}/expire": "checkout._session_expire_params",
    "POST /v1/payment_intents": "_payment_intent_create_params",
    "POST /v1/payment_intents/{id}/confirm": "_payment_intent_confirm_params",
    "POST /v1/payment_intents/{id}/cancel": "_payment_intent_cancel_params",
    "POST /v1/payment_methods/{id}/attach": "_payment_method_attach_params",
    "POST /v1/payment_methods/{id}/detach": "_payment_method_detach_params",
    "POST /v1/refunds": "_refund_create_params",
    "POST /v1/products": "_product_create_params",
    "POST /v1/prices": "_price_create_params",
    "POST /v1/subscriptions/{id}": "_subscription_update_params",
    "DELETE /v1/subscriptions/{id}": "_subscription_cancel_params",
    "POST /v1/invoiceitems": "_invoice_item_create_params",
    "POST /v1/invoices": "_invoice_create_params",
    "DELETE /v1/invoices/{id}": "_invoice_delete_params",
    "POST /v1/invoices/{id}/add_lines": "_invoice_add_lines_params",
    "POST /v1/invoices/{id}/finalize": "_invoice_finalize_invoice_params",
    "POST /v1/invoices/{id}/send": "_invoice_send_invoice_params",
    "POST /v1/invoices/{id}/pay": "_invoice_pay_params",
    "POST /v1/invoices/{id}/void": "_invoice_void_invoice_params",
    "POST /v1/invoices/{id}/mark_uncollectible": "_invoice_mark_uncollectible_params",
    "POST /v1/billing_portal/sessions": "billing_portal._session_create_params",
    "GET /v1/customers/{id}": "_customer_retrieve_params",
    "GET /v1/customers/{customer}/payment_methods/{id}": "_customer_retrieve_payment_method_params",
    "GET /v1/checkout/sessions/{id}": "checkout._session_retrieve_params",
    "GET /v1/payment_intents/{id}": "_payment_intent_retrieve_params",
    "GET /v1/payment_methods/{id}": "_payment_method_retrieve_params",
    "GET /v1/setup_intents/{id}": "_setup_intent_retrieve_params",
    "GET /v1/charges/{id}": "_charge_retrieve_params",
    "GET /v1/refunds/{id}": "_refund_retrieve_params",
    "GET /v1/disputes/{id}": "_dispute_retrieve_params",
    "GET /v1/radar/early_fraud_warnings/{id}": "radar._early_fraud_warning_retrieve_params",
    "GET /v1/products/{id}": "_product_retrieve_params",
    "GET /v1/prices/{id}": "_price_retrieve_params",
    "GET /v1/subscriptions/{id}": "_subscription_retrieve_params",
    "GET /v1/invoices/{id}": "_invoice_retrieve_params",
    "GET /v1/events/{id}": "_event_retrieve_params",
    "GET /v1/balance": "_balance_retrieve_params",
    "GET /v1/balance_transactions/{id}": "_balance_transaction_retrieve_params",
    "GET /v1/customers": "_customer_list_params",
    "GET /v1/customers/{customer}/payment_methods": "_customer_payment_method_list_params",
    "GET /v1/checkout/sessions": "checkout._session_list_params",
    "GET /v1/payment_intents": "_payment_intent_list_params",
    "GET /v1/payment_intents/search": "_payment_intent_search_params",
    "GET /v1/payment_methods": "_payment_method_list_params",
    "GET /v1/setup_intents": "_setup_intent_list_params",
    "GET /v1/charges": "_charge_list_params",
    "GET /v1/refunds": "_refund_list_params",
    "GET /v1/disputes": "_dispute_list_params",
    "GET /v1/radar/early_fraud_warnings": "radar._early_fraud_warning_list_params",
    "GET /v1/subscriptions": "_subscription_list_params",
    "GET /v1/invoiceitems": "_invoice_item_list_params",
    "GET /v1/invoices": "_invoice_list_params",
    "GET /v1/invoices/{id}/lines": "_invoice_line_item_list_params",
    "GET /v1/invoice_payments": "_invoice_payment_list_params",
    "GET /v1/events": "_event_list_params",
    "GET /v1/balance_transactions": "_balance_transaction_list_params",
}
"""Route of the simulator → the module of `stripe.params` with its parameters."""


class Validators(Mapping[str, Validator]):
    """A check for each route, built when it is first used: all of them take five seconds."""

    def __getitem__(self, route: str) -> Validator:
        return adapter(PARAMETERS[route]).validate_python

    def __iter__(self) -> Iterator[str]:
        return iter(PARAMETERS)

    def __len__(self) -> int:
        return len(PARAMETERS)


@cache
def adapter(module: str) -> "pydantic.TypeAdapter[Any]":
    """The strict check of the parameters a module of `stripe.params` declares."""
    name = "".join(part.capitalize() for part in module.rpartition(".")[2].split("_"))
    return pydantic.TypeAdapter(_closed(getattr(import_module(f"stripe.params.{module}"), name)))


@cache
def _closed(hint: Any) -> Any:
    """The same type with nothing open in it."""
    if typing_extensions.is_typeddict(hint):
        return _closed_dict(hint)
    origin, parts = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return Union[tuple(_closed(part) for part in _without_open_text(parts))]  # noqa: UP007 - built at run time
    if origin is UntypedStripeObject:
        return dict[str, _closed(parts[0])]
    if origin in {list, dict, typing_extensions.NotRequired, typing_extensions.Required}:
        closed = tuple(_closed(part) for part in parts)
        return origin[closed if len(closed) > 1 else closed[0]]
    return hint


def _without_open_text(parts: tuple[Any, ...]) -> list[Any]:
    """An enum's words beside `str` mean that more may come; the empty word beside it only that it can be unset."""
    words = {word for part in parts if get_origin(part) is Literal for word in get_args(part)} - {""}
    return [part for part in parts if not (part is str and words)]


def _closed_dict(declared: Any) -> Any:
    """Without what is a matter of the call, such as its key: the SDK declares that among the parameters."""
    bases = getattr(declared, "__orig_bases__", ())
    of_the_call = set(RequestOptions.__annotations__) if RequestOptions in bases else set()
    names = vars(sys.modules[declared.__module__])
    hints = {name: hint for name, hint in declared.__annotations__.items() if name not in of_the_call}
    fields = {name: _closed(_resolved(hint, names)) for name, hint in hints.items()}
    made = typing_extensions.TypedDict(declared.__name__, fields)
    return pydantic.with_config(extra="forbid")(made)


def _resolved(hint: Any, names: dict[str, Any]) -> Any:
    text = hint.__forward_arg__ if isinstance(hint, ForwardRef) else hint
    found = eval(text, names) if isinstance(text, str) else text  # noqa: S307 - annotations of the installed SDK
    origin, parts = get_origin(found), get_args(found)
    if not parts or origin is Literal:
        return found
    resolved = tuple(_resolved(part, names) for part in parts)
    if origin in {Union, types.UnionType}:
        return Union[resolved]  # noqa: UP007 - built at run time
    return origin[resolved if len(resolved) > 1 else resolved[0]] if origin is not None else found
