"""`keys list|create|revoke`."""

from typing import Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.group import group
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.route_options import WEIGHTS
from monkey_coder.cli.session import Session
from monkey_coder_protocol.auth import CreatedKey, CreateKeyRequest, KeyCaps, KeyList, KeyRate
from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES


@command("list", examples=("monkey keys list",))
@pass_session
def list_keys(session: Session) -> None:
    """List your keys, without their secrets."""
    with session.client() as client:
        listing = client.keys.list()
    session.emit(listing, text=lambda: _table(listing))


@command("create", examples=("monkey keys create laptop", "monkey keys create ci --month-usd 20 --expires-days 90"))
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, metavar="NAME", help="Allow only this; repeatable.")
@click.option("--model", "models", multiple=True, metavar="NAME", help="Allow only this model; repeatable.")
@click.option("--day-usd", type=AMOUNT, metavar="USD", help="Most that may be spent in a day.")
@click.option("--month-usd", type=AMOUNT, metavar="USD", help="Most that may be spent in a month.")
@click.option("--total-usd", type=AMOUNT, metavar="USD", help="Most that may ever be spent.")
@click.option("--day-tokens", type=click.IntRange(min=1), metavar="N", help="Most tokens in a day.")
@click.option("--month-tokens", type=click.IntRange(min=1), metavar="N", help="Most tokens in a month.")
@click.option("--total-tokens", type=click.IntRange(min=1), metavar="N", help="Most tokens there may ever be.")
@click.option("--project", "project_id", metavar="NAME", help="Count it under the limits of this project.")
@click.option("--rate", type=click.IntRange(min=1), metavar="N", help="Requests a minute.")
@click.option("--rate-tokens", type=click.IntRange(min=1), metavar="N", help="Tokens a minute.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="Requests at once.")
@click.option("--ip", "ip_allow", multiple=True, metavar="NET", help="Allow only this address or network; repeatable.")
@click.option(
    "--collapse",
    type=click.Choice(COLLAPSE_STRATEGIES),
    help="How several models are asked for one answer where a request says nothing of it.",
)
@click.option(
    "--weights",
    type=WEIGHTS,
    metavar="WEIGHTS",
    help="How much quality, cost and latency count where a request says nothing of it: quality=1,cost=0.3,latency=0.",
)
@click.option("--expires-days", type=click.IntRange(min=1), metavar="N", help="Days until it ends.")
@pass_session
def create(session: Session, /, name: str, **limits: Any) -> None:
    """Create a key called NAME. Its secret is shown once, on stdout."""
    with session.client() as client:
        made = client.keys.create(_key_request(name, limits))
    session.emit(made, text=lambda: made.key)
    session.note(_created(made))


@command("revoke", examples=("monkey keys revoke key_123", "monkey keys revoke key_123 --yes"))
@click.argument("key_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show the key that would end.")
@pass_session
def revoke(session: Session, key_id: str, *, yes: bool, dry_run: bool) -> None:
    """End the key KEY_ID at once. Programs that use it stop working."""
    with session.client() as client:
        if dry_run:
            found = [key for key in client.keys.list().keys if key.key_id == key_id]
            if not found:
                message = f"You have no key {key_id!r}."
                raise CommandFailed(Exit.USAGE, "not_found", message=message, hint="`monkey keys list` shows them.")
            session.emit(found[0], text=lambda: f"Would revoke {key_id} ({found[0].name}).")
            return
        if not yes:
            _confirm(session, key_id)
        answer = client.keys.revoke(key_id)
    session.emit(answer, text=lambda: answer.message)


keys = group("keys", "List, create and revoke API keys.", list_keys, create, revoke)


def _confirm(session: Session, key_id: str) -> None:
    if not session.may_ask:
        message = "Revoking a key cannot be undone; say --yes."
        raise click.UsageError(message)
    if click.prompt(f"Type {key_id} to revoke it", err=True, default="", show_default=False) != key_id:
        raise CommandFailed(Exit.TASK_FAILED, "not_confirmed", message="Nothing was revoked.")


def _key_request(name: str, limits: dict[str, Any]) -> CreateKeyRequest:
    caps: dict[str, Any] = {}
    for period in ("day", "month", "total"):
        amount, tokens = limits.pop(f"{period}_usd"), limits.pop(f"{period}_tokens")
        caps |= {f"{period}_usd": f"{amount:f}"} if amount else {}
        caps |= {f"{period}_tokens": tokens} if tokens else {}
    rate = _rate(limits.pop("rate"), limits.pop("rate_tokens"), limits.pop("concurrency"))
    given: dict[str, Any] = {
        key: list(value) if isinstance(value, tuple) else value for key, value in limits.items() if value
    }
    return CreateKeyRequest(name=name, caps=KeyCaps(**caps) if caps else None, rate=rate, **given)


def _rate(requests: int | None, tokens: int | None, concurrency: int | None) -> int | KeyRate | None:
    """Requests alone are said as a number, which gateways before the other two take as well."""
    if tokens is None and concurrency is None:
        return requests
    return KeyRate(requests=requests, tokens=tokens, concurrency=concurrency)


def _created(made: CreatedKey) -> str:
    until = f", until {made.expires_at}" if made.expires_at else ""
    return f"Key {made.key_id} ({made.name}{until}). It is not shown again: store it now."


def _table(listing: KeyList) -> str:
    if not listing.keys:
        return "No keys."
    rows = [
        (key.key_id, key.name, key.prefix, key.status, key.created_at, key.expires_at or "-", key.last_used or "-")
        for key in listing.keys
    ]
    return output.columns(("id", "name", "key", "status", "created", "expires", "last used"), rows)
