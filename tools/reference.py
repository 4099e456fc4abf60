"""Writes docs/reference/api.md from the route table, the error tables, the settings table and the protocol's structs.

`python -m tools.reference` writes the file; `python -m tools.reference --check` exits 1 when it is not current.
"""

import ast
import asyncio
import inspect
import sys
import tempfile
import textwrap
import tomllib
import types
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from monkey_coder.cli.failures import EXIT_CODES
from monkey_coder_protocol import (
    auth,
    billing,
    cli_login,
    events,
    execute,
    identity,
    operators,
    organizations,
    pricing,
    sign_in,
)
from monkey_coder_protocol.errors import ErrorBody
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.domain import errors
from monkey_coder_server.settings import VARIABLES, load
from monkey_coder_server.web import problem
from monkey_coder_server.web.feature import Route

TARGET = Path(__file__).resolve().parents[1] / "docs" / "reference" / "api.md"
WORDS: Mapping[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
"""The sentences no table of the code holds."""
SHAPES: tuple[tuple[str, str, Sequence[type[msgspec.Struct]]], ...] = (
    (
        "Task",
        "The body of `/v1/execute`, `/v1/execute/stream`, `/v1/quote` and `/v1/router/debug`.",
        (execute.ExecuteRequest,),
    ),
    (
        "Answer",
        "Exactly these twelve keys at the top, no other, ever.",
        (execute.ExecuteResponse,),
    ),
    ("Events", WORDS["stream"].strip(), (events.StreamEvent,)),
    (
        "Accounts and keys",
        "What is sent to and answered by `/v1/auth/…` and `/v1/keys`.",
        (
            auth.RegisterRequest,
            auth.LoginRequest,
            auth.RefreshRequest,
            auth.TokenResponse,
            auth.AuthStatus,
            auth.CreateKeyRequest,
            auth.CreatedKey,
            auth.KeyList,
        ),
    ),
    (
        "Signing in elsewhere",
        "With Google, GitHub or any OpenID Connect provider that the operator has set up.",
        (sign_in.SignInBegun, sign_in.SignInAnswer, sign_in.IdentityList),
    ),
    (
        "Addresses, passwords and sessions",
        "What is sent to and answered by `/v1/auth/email/…`, `/v1/auth/password/…` and where sessions are ended.",
        (
            identity.AddressRequest,
            identity.TokenRequest,
            identity.ChangeEmailRequest,
            identity.ResetPasswordRequest,
            identity.ChangePasswordRequest,
            identity.Done,
            identity.SessionList,
            identity.EndSessionsRequest,
            identity.EndedSessions,
        ),
    ),
    (
        "Organizations",
        "A person acts for one with the header `x-mk-organization: <organization_id>`, in the role they have in it.",
        (
            organizations.CreateOrganization,
            organizations.ChangeOrganization,
            organizations.OrganizationList,
            organizations.MemberList,
            organizations.ChangeMember,
            organizations.CreateServiceAccount,
            organizations.Invite,
            organizations.InvitationList,
            organizations.InvitationAnswer,
            organizations.CreateTeam,
            organizations.TeamList,
            organizations.CreateProject,
            organizations.ProjectList,
            organizations.SetLimit,
            organizations.LimitList,
            organizations.SetModelRule,
            organizations.ModelRuleList,
            organizations.KeyPolicy,
        ),
    ),
    (
        "Operators",
        "What people who run the gateway send to `/v1/operator/…` and are answered.",
        (
            operators.AccountViews,
            operators.ActRequest,
            operators.ActingToken,
            operators.AppointRequest,
            operators.OperatorList,
            operators.GiveCredit,
            operators.CreditGrants,
            operators.GiveBack,
            operators.MovedMoney,
            pricing.SetMarkup,
            pricing.EndMarkup,
            pricing.MarkupList,
            pricing.EndedMarkup,
            pricing.PriceList,
            pricing.BusinessReport,
        ),
    ),
    (
        "Log-in of a command line",
        "What is sent to and answered by `/v1/auth/device/…` and `/v1/auth/authorize/token`.",
        (
            cli_login.DeviceAuthorizationRequest,
            cli_login.DeviceAuthorization,
            cli_login.DeviceTokenRequest,
            cli_login.CodeTokenRequest,
            cli_login.CommandLineKey,
            cli_login.OAuthErrorBody,
            cli_login.DeviceQuestion,
            cli_login.UserCode,
        ),
    ),
    (
        "Money",
        "Amounts are decimal strings in USD.",
        (billing.Balance, billing.Quote, billing.Receipt, billing.Feedback),
    ),
)
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    type(None): "null",
    Any: "anything",
}


def main(arguments: Sequence[str]) -> int:
    """Write the reference, or with `--check` say whether it is current."""
    text = asyncio.run(reference())
    if "--check" not in arguments:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.name} is not current; run `python -m tools.reference`", file=sys.stderr)
    return 1


async def reference() -> str:
    """The whole page."""
    shapes = [section for title, words, structs in SHAPES for section in _shapes(title, words, structs)]
    parts = [
        WORDS["introduction"].strip(),
        "## Routes",
        await _routes(),
        "## Headers",
        _table(("header", "where", "meaning"), WORDS["headers"]),
        *shapes,
        "## Errors",
        _shape(ErrorBody),
        _errors(),
        "## Settings of the server",
        _table(("variable", "default", "meaning"), [(f"`{row.name}`", row.default, row.meaning) for row in VARIABLES]),
    ]
    return "\n\n".join(parts) + "\n"


async def _routes() -> str:
    with tempfile.TemporaryDirectory(prefix="monkey-reference-") as folder:
        async with open_gateway(load({}, folder=Path(folder))) as gateway:
            routes = {(route.path, route.method): route for _, route in gateway.application.routes}
    rows = [
        (f"`{route.method} {route.path}`", _asked(route), _first_line(route.endpoint))
        for _, route in sorted(routes.items())
    ]
    return _table(("route", "asks for", "answers"), rows)


def _asked(route: Route) -> str:
    if route.auth == "public":
        return "nothing"
    credential = {"any": "key or session", "key": "key", "session": "session"}[route.auth]
    return f"{credential}, scope `{route.scope}`" if route.scope else credential


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]


def _shapes(title: str, words: str, structs: Iterable[type[msgspec.Struct]]) -> list[str]:
    found: dict[type[msgspec.Struct], None] = {}
    for struct in structs:
        _collect(struct, found)
    return [f"## {title}", words, *(_shape(struct) for struct in found)]


def _collect(hint: Any, found: dict[type[msgspec.Struct], None]) -> None:
    """The structs a type is made of, each once, the outer before the inner."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint not in found:
            found[hint] = None
            for inner in get_type_hints(hint).values():
                _collect(inner, found)
        return
    for argument in get_args(hint):
        _collect(argument, found)


def _shape(struct: type[msgspec.Struct]) -> str:
    hints, said = get_type_hints(struct), meanings(struct)
    rows = [
        (f"`{field.encode_name}`", kind(hints[field.name]), _needed(field), said.get(field.encode_name, ""))
        for field in msgspec.structs.fields(struct)
    ]
    width = 4 if said else 3 if any(row[2] for row in rows) else 2
    columns = ("field", "type", "", "meaning")[:width]
    about = " ".join((struct.__doc__ or "").split())
    return f"### {struct.__name__}\n\n{about}\n\n{_table(columns, [row[:width] for row in rows])}"


def _needed(field: msgspec.structs.FieldInfo) -> str:
    return "required" if field.required else ""


def meanings(struct: type[msgspec.Struct]) -> Mapping[str, str]:
    """What each field means: the words of the table, else the text that stands below the field in the source."""
    said: dict[str, str] = {}
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    if isinstance(definition, ast.ClassDef):
        for line, below in pairwise(definition.body):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                match below:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        said[line.target.id] = " ".join(text.removesuffix(" Ours.").split())
    return {**said, **WORDS["meanings"].get(struct.__name__, {})}


def kind(hint: Any) -> str:
    """A type in plain words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _WORDS:
        return _WORDS[hint]
    if origin is Literal:
        return " · ".join(f"`{word}`" for word in arguments)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(kind(each) for each in arguments if each is not msgspec.UnsetType))
    if origin is list:
        return f"list of {kind(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"object of {kind(arguments[1])}"
    return str(getattr(hint, "__name__", hint))


def _errors() -> str:
    classes: list[type[errors.GatewayError]] = [*_below(errors.GatewayError), errors.GatewayError]
    own = [each for each in classes if "code" in vars(each)]
    means = {each.code: _first_line(each).partition("; `")[0].removesuffix(".") + "." for each in own}
    means["internal"] = "The gateway made a mistake; it was logged under the request id."
    rows = [
        (f"`{code}`", str(status), means[code], str(int(EXIT_CODES[code])))
        for code, status in sorted(problem.STATUS.items(), key=lambda row: (row[1], row[0]))
    ]
    return _table(("`error_code`", "status", "means", "`monkey` exits with"), rows)


def _below(parent: type[errors.GatewayError]) -> Iterable[type[errors.GatewayError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
