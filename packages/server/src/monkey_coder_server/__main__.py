"""The command `monkey-server`. Heavy imports happen inside the commands that need them."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from monkey_coder_protocol.version import VERSION
from monkey_coder_server import (
    access_commands,
    audit_commands,
    business_commands,
    config_command,
    credit_commands,
    factor_commands,
    inbox_commands,
    ledger_commands,
    markup_commands,
    operator_commands,
    payment_commands,
    plan_commands,
    price_commands,
    promotion_commands,
    routing_commands,
)
from monkey_coder_server.settings import CONFIGURATION_ERROR, Settings, SettingsError, gathered, help_text, load

FAILED = 1
BROKEN_PIPE = 141
Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        code = command(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left, as `head` does: the rest has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except SettingsError as broken:
        return _complain(str(broken), broken.exit_code)
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monkey-server", description="The Monkey Coder gateway and its operator's tools."
    )
    parser.add_argument("--version", action="version", version=f"monkey-server {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_worker(commands)
    _add_sandbox(commands)
    _add_admin(commands.add_parser("admin", help="operator actions on accounts and books"))
    database = commands.add_parser("db", help="migrations").add_subparsers(metavar="ACTION", required=True)
    database.add_parser("upgrade", help="bring the database to the newest revision").set_defaults(command=_db_upgrade)
    database.add_parser("current", help="print the database's revision").set_defaults(command=_db_current)
    config_command.add(commands)
    commands.add_parser("routes", help="list every route with what it asks for").set_defaults(command=_routes)
    return parser


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser("serve", help="run the gateway")
    serve.add_argument("--host", help="address to listen on (HOST)")
    serve.add_argument("--port", type=_port, help="port to listen on, 0 for a free one (PORT)")
    serve.add_argument("--metrics-port", type=_port, help="port of /metrics, 0 for a free one (METRICS_PORT)")
    serve.add_argument("--workers", type=_count, help="processes that share the port (WORKERS)")
    serve.add_argument("--env-file", metavar="FILE", help="variables the environment does not set (ENV_FILE)")
    serve.add_argument("--sandbox", action="store_true", help="simulate every provider that has no key")
    serve.add_argument("--stripe", action="store_true", help="simulate Stripe: pages to pay on, webhooks, no money")
    serve.add_argument("--help-env", action="store_true", help="list the environment variables and exit")
    serve.set_defaults(command=_serve)


def _add_worker(commands: Any) -> None:
    """What the supervisor of `serve --workers` starts; nobody else does, so no help tells of it."""
    worker = commands.add_parser("worker")
    worker.add_argument("--channel", type=int, required=True)
    worker.add_argument("--listening", type=int, required=True)
    worker.add_argument("--simulated", required=True)
    worker.add_argument("--share", type=int, nargs=2, required=True)
    worker.add_argument("--number", required=True, help="shown among the processes of the machine")
    worker.set_defaults(command=_worker)


def _add_sandbox(commands: Any) -> None:
    sandbox = commands.add_parser("sandbox", help="run only the provider simulators")
    sandbox.add_argument("--host", default="127.0.0.1", help="address to listen on")
    sandbox.add_argument("--port", type=_port, default=0, help="port to listen on, 0 for a free one")
    sandbox.add_argument("--seed", type=int, default=0, help="the same seed gives the same answers")
    sandbox.add_argument("--stripe", action="store_true", help="run a simulated Stripe instead")
    sandbox.add_argument("--webhook", metavar="URL", help="where the simulated Stripe tells of payments")
    sandbox.add_argument("--script", type=Path, metavar="FILE", help="scripted faults and answers, JSON")
    sandbox.set_defaults(command=_sandbox)


def _add_admin(admin: argparse.ArgumentParser) -> None:
    actions = admin.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create-user", help="make an account with a wallet and a first key")
    create.add_argument("--email", required=True)
    create.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    create.add_argument("--credit", metavar="USD", help="what the wallet starts with (default TRIAL_CREDIT_USD)")
    create.add_argument("--plan", help="the price plan")
    create.add_argument("--json", action="store_true", help="print one JSON document")
    create.set_defaults(command=_create_user)
    credit_commands.add(actions, lambda action: _print_lines(_operate(action)))
    payment_commands.add(actions, lambda action: _print_lines(_operate(action)))
    users = actions.add_parser("list-users", help="list accounts with their balances")
    users.add_argument("--json", action="store_true", help="print one JSON document")
    users.set_defaults(command=_list_users)
    ledger_commands.add(actions, _operate, _print_lines)
    inbox_commands.add(actions, _operate, _print_lines)
    audit_commands.add(actions, _operate, _print_lines)
    access_commands.add(actions, _operate, _print_lines)
    factor_commands.add(actions, _operate, _print_lines)
    operator_commands.add(actions, _operate, _print_lines)
    markup_commands.add(actions, _operate, _print_lines)
    plan_commands.add(actions, _operate, _print_lines, _day)
    promotion_commands.add(actions, _operate, _print_lines)
    routing_commands.add(actions, _operate, _print_lines, _day)
    _add_reconcile(actions)
    _add_export(actions)
    business_commands.add(actions, _operate, _print_lines)
    price_commands.add(actions, _operate, _print_lines)


def _add_reconcile(actions: Any) -> None:
    reconcile = actions.add_parser(
        "reconcile", help="compare a provider's invoice with the books; exit 1 unless they agree"
    )
    reconcile.add_argument("--provider", required=True)
    source = reconcile.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", type=Path, metavar="CSV", help="an invoice or a list of requests")
    source.add_argument("--from-api", action="store_true", help="ask the provider's cost API (OpenAI, Anthropic)")
    source.add_argument("--from-traffic", action="store_true", help="costs in the answers (xAI, Perplexity)")
    reconcile.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="first UTC day")
    reconcile.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="last UTC day, included")
    reconcile.add_argument("--correct", action="store_true", help="book what estimates turned out to be")
    reconcile.add_argument("--json", action="store_true", help="print one JSON document")
    reconcile.set_defaults(command=_reconcile)


def _add_export(actions: Any) -> None:
    export = actions.add_parser("export", help="write usage as a file to standard output")
    export.add_argument("--format", choices=("csv", "jsonl", "parquet", "focus"), default="csv")
    export.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="first UTC day")
    export.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="last UTC day, included")
    export.add_argument("--account", metavar="ID", help="only this account's")
    export.set_defaults(command=_export)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        message = f"{text!r} is not a day like 2026-11-23"
        raise argparse.ArgumentTypeError(message) from wrong


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        message = f"{text!r} is not a port; it must be a whole number from 0 to 65535"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= 256):
        message = f"{text!r} is not a number of processes; it must be a whole number from 1 to 256"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    if options.help_env:
        _say(help_text())
        return 0
    chosen = {
        "HOST": options.host,
        "PORT": options.port,
        "METRICS_PORT": options.metrics_port,
        "WORKERS": options.workers,
        "ENV_FILE": options.env_file,
    }
    flags = {name: str(value) for name, value in chosen.items() if value is not None}
    settings = load(flags=flags)
    if settings.workers > 1:
        from monkey_coder_server.bootstrap.workers import supervisor  # noqa: PLC0415 - heavy

        simulated = supervisor.Simulated(providers=options.sandbox, payments=options.stripe)
        return supervisor.run(partial(gathered, flags=flags), simulated)
    from monkey_coder_server.bootstrap.serve import run  # noqa: PLC0415 - heavy

    return run(settings, sandbox=options.sandbox, stripe=options.stripe)


def _worker(options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap.workers.worker import Place, run  # noqa: PLC0415 - heavy

    return run(Place(options.channel, options.listening, json.loads(options.simulated), tuple(options.share)))


def _sandbox(options: argparse.Namespace) -> int:
    if options.stripe:
        return _stripe(options)
    from monkey_coder_server.sandbox.directives import DirectiveError  # noqa: PLC0415 - heavy
    from monkey_coder_server.sandbox.server import run  # noqa: PLC0415 - heavy

    try:
        run(options.host, options.port, seed=options.seed, script_file=options.script)
    except (OSError, DirectiveError, json.JSONDecodeError) as wrong:
        return _complain(f"The sandbox cannot start: {wrong}", CONFIGURATION_ERROR)
    return 0


def _stripe(options: argparse.Namespace) -> int:
    from monkey_coder_server.sandbox.stripe.server import run  # noqa: PLC0415 - heavy

    try:
        run(options.host, options.port, seed=options.seed, webhook=options.webhook)
    except OSError as wrong:
        return _complain(f"The sandbox cannot start: {wrong}", CONFIGURATION_ERROR)
    return 0


def _create_user(options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import operator  # noqa: PLC0415 - heavy

    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else None
    wish = operator.NewUser(email=options.email, password=password, credit_usd=options.credit, plan=options.plan)
    made = _operate(lambda settings: operator.create_user(settings, wish))
    if made is None:
        return FAILED
    if options.json:
        _say(json.dumps(made))
    else:
        _say(f"user     {made['user_id']}\naccount  {made['account_id']}\ncredit   {made['credit_usd']} USD")
        _say(f"api key  {made['api_key']}\nThe key is shown this once; keep it.")
    return 0


def _list_users(options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import operator  # noqa: PLC0415 - heavy

    users = _operate(operator.list_users)
    if users is None:
        return FAILED
    if options.json:
        _say(json.dumps(users))
    else:
        for user in users:
            _say(f"{user['email']:40} {user['balance_usd']:>14} USD  {user['plan']:10} {user['account_id']}")
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import reconcile  # noqa: PLC0415 - heavy

    wish = reconcile.Wish(
        options.provider, options.first, options.last, options.file, options.from_api, options.correct
    )
    document = _operate(lambda settings: reconcile.run(settings, wish))
    if document is None:
        return FAILED
    _print_lines([json.dumps(document, indent=2)] if options.json else reconcile.lines(document))
    return 0 if document["sound"] else FAILED


def _export(options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import reports  # noqa: PLC0415 - heavy

    wish = reports.Wish(options.format, options.first, options.last, options.account)
    done = _operate(lambda settings: reports.write(settings, wish, sys.stdout.buffer.write))
    return FAILED if done is None else 0


def _db_upgrade(options: argparse.Namespace) -> int:
    from monkey_coder_server.adapters.storage import migrate  # noqa: PLC0415 - heavy

    _on_database(migrate.upgrade)
    return _db_current(options)


def _db_current(_options: argparse.Namespace) -> int:
    from monkey_coder_server.adapters.storage import migrate  # noqa: PLC0415 - heavy

    _say(f"{_on_database(migrate.current) or 'empty'} (newest is {migrate.HEAD})")
    return 0


def _on_database(action: Callable[[str], str | None]) -> str | None:
    from monkey_coder_server.adapters.storage.operations import UnusableDatabase  # noqa: PLC0415 - heavy
    from monkey_coder_server.bootstrap.books import refusal  # noqa: PLC0415 - heavy

    try:
        return action(load().database_url.reveal())
    except UnusableDatabase as unusable:
        raise refusal(unusable) from unusable


def _routes(_options: argparse.Namespace) -> int:
    from monkey_coder_server.bootstrap import operator  # noqa: PLC0415 - heavy

    with tempfile.TemporaryDirectory(prefix="monkey-routes-") as folder:
        return _print_lines(asyncio.run(operator.route_lines(load({}, folder=Path(folder)))))


def _operate(action: Callable[[Settings], Any]) -> Any:
    """Run an operator action; None after complaining about what stopped it."""
    from monkey_coder_server.domain.errors import GatewayError  # noqa: PLC0415 - heavy

    try:
        return asyncio.run(action(load()))
    except GatewayError as refused:
        _complain(refused.message, FAILED)
        return None


def _print_lines(lines: Sequence[str] | None) -> int:
    if lines is None:
        return FAILED
    for line in lines:
        _say(line)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"monkey-server: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
