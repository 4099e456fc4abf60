"""`orgs`: organizations, who is in them, and what their levels may use."""

from typing import Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.commands.org_levels import limits, policy, projects, rules, teams
from monkey_coder.cli.commands.org_rates import rates
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.organization_session import Acting, Who, acting, confirm, organization_options
from monkey_coder.cli.person_login import logged_in, person_options
from monkey_coder.cli.session import Session
from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_protocol.organizations import ChangeOrganization, OrganizationInfo

ROLES = click.Choice(["owner", "admin", "billing", "developer", "viewer"])
INVITATION = "The code of the invitation"
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@command("list", examples=("monkey orgs list",))
@person_options
@pass_session
def list_mine(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """List the organizations you belong to."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        found = person.client.organizations.list()
    rows = [(each.organization_id, each.name, each.role) for each in found.organizations]
    session.emit(
        found, text=lambda: output.columns(("id", "name", "your role"), rows) if rows else "You belong to none."
    )


@command("create", examples=("monkey orgs create Firm", "monkey orgs create Firm --use"))
@click.argument("name")
@click.option("--use", is_flag=True, help="Make it the configured one.")
@person_options
@pass_session
def create(session: Session, name: str, email: str | None, *, use: bool, password_stdin: bool) -> None:
    """Make an organization called NAME, and be its owner."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        made = person.client.organizations.create(name)
    if use:
        _configure(session, made.organization_id)
    session.emit(made, text=lambda: made.organization_id)


@command("use", examples=("monkey orgs use Firm", "monkey orgs use acc_…"))
@click.argument("org")
@person_options
@pass_session
def use(session: Session, org: str, email: str | None, *, password_stdin: bool) -> None:
    """Let `monkey orgs` act for ORG where --org is not said: an id or a name."""
    with acting(session, Who(org, email, password_stdin)) as act:
        found = act.organizations.get(act.organization_id)
    _configure(session, found.organization_id)
    session.emit(found, text=lambda: f"organization = {found.organization_id}")


@command("show", examples=("monkey orgs show",))
@organization_options
@pass_session
def show(session: Session, /, **who: Any) -> None:
    """Show an organization and your role in it."""
    with acting(session, Who(**who)) as act:
        _emit(session, act.organizations.get(act.organization_id))


@command("rename", examples=("monkey orgs rename 'Firm Ltd'",))
@click.argument("name")
@organization_options
@pass_session
def rename(session: Session, /, name: str, **who: Any) -> None:
    """Call it NAME."""
    with acting(session, Who(**who)) as act:
        _emit(session, act.organizations.change(act.organization_id, ChangeOrganization(name=name)))


@command("second-factor", examples=("monkey orgs second-factor required",))
@click.argument("how", type=click.Choice(["required", "optional"]))
@organization_options
@pass_session
def second_factor(session: Session, /, how: str, **who: Any) -> None:
    """Say whether everybody in it must have a second factor."""
    wish = ChangeOrganization(second_factor_required=how == "required")
    with acting(session, Who(**who), as_person=True) as act:
        _emit(session, act.organizations.change(act.organization_id, wish))


@command("delete", examples=("monkey orgs delete --org Firm",))
@_yes
@organization_options
@pass_session
def delete(session: Session, /, *, yes: bool, **who: Any) -> None:
    """Delete an organization without credit: its keys end, and nobody belongs to it any more."""
    with acting(session, Who(**who), as_person=True) as act:
        confirm(session, act.organization_id, yes=yes, deed="delete the organization")
        said = act.organizations.delete(act.organization_id)
    session.emit(said, text=lambda: said.message)


@command("leave", examples=("monkey orgs leave --org Firm",))
@_yes
@organization_options
@pass_session
def leave(session: Session, /, *, yes: bool, **who: Any) -> None:
    """Leave an organization; your keys in it end."""
    with acting(session, Who(**who), as_person=True) as act:
        confirm(session, act.organization_id, yes=yes, deed="leave the organization")
        said = act.organizations.leave(act.organization_id)
    session.emit(said, text=lambda: said.message)


@command("members", examples=("monkey orgs members",))
@organization_options
@pass_session
def members(session: Session, /, **who: Any) -> None:
    """List who belongs to it, service accounts included."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.members(act.organization_id)
    rows = [(each.user_id, each.email or "service account", each.name, each.role) for each in found.members]
    session.emit(found, text=lambda: output.columns(("id", "email", "name", "role"), rows))


@command("role", examples=("monkey orgs role ada@example.com developer",))
@click.argument("member")
@click.argument("role", type=ROLES)
@organization_options
@pass_session
def change_role(session: Session, /, member: str, role: str, **who: Any) -> None:
    """Give MEMBER, by id or email, another role. Their keys lose what it does not allow."""
    with acting(session, Who(**who)) as act:
        said = act.organizations.change_member(act.organization_id, _member(act, member), role)
    session.emit(said, text=lambda: said.message)


@command("remove", examples=("monkey orgs remove ada@example.com",))
@click.argument("member")
@_yes
@organization_options
@pass_session
def remove(session: Session, /, member: str, *, yes: bool, **who: Any) -> None:
    """Take MEMBER, by id or email, out; their keys here end."""
    with acting(session, Who(**who)) as act:
        user_id = _member(act, member)
        confirm(session, member, yes=yes, deed="remove them")
        said = act.organizations.remove_member(act.organization_id, user_id)
    session.emit(said, text=lambda: said.message)


@command("service-account", examples=("monkey orgs service-account ci --role developer",))
@click.argument("name")
@click.option("--role", type=ROLES, default="developer", show_default=True, help="What it may do.")
@organization_options
@pass_session
def service_account(session: Session, /, name: str, role: str, **who: Any) -> None:
    """Make a member for machines: keys, and no log-in. Its id is printed."""
    with acting(session, Who(**who)) as act:
        made = act.organizations.create_service_account(act.organization_id, name, role)
    session.emit(made, text=lambda: made.user_id)


@command("key", examples=("monkey orgs key laptop --project shop", "monkey orgs key ci --service-account usr_…"))
@click.argument("name")
@click.option("--project", "project_id", metavar="ID", help="Of this project, and of its team.")
@click.option("--service-account", metavar="ID", help="For this service account.")
@organization_options
@pass_session
def key(session: Session, /, name: str, project_id: str | None, service_account: str | None, **who: Any) -> None:
    """Make a key of the organization called NAME. Its secret is shown once, on stdout."""
    wish = CreateKeyRequest(name=name, project_id=project_id, service_account=service_account)
    with acting(session, Who(**who)) as act:
        made = act.organizations.create_key(act.organization_id, wish)
    session.emit(made, text=lambda: made.key)
    session.note(f"Key {made.key_id} ({made.name}). It is not shown again: store it now.")


@command("invite", examples=("monkey orgs invite ada@example.com --role developer",))
@click.argument("address")
@click.option("--role", type=ROLES, required=True, help="What they will be.")
@organization_options
@pass_session
def invite(session: Session, /, address: str, role: str, **who: Any) -> None:
    """Invite ADDRESS by mail."""
    with acting(session, Who(**who)) as act:
        sent = act.organizations.invite(act.organization_id, address, role)
    session.emit(sent, text=lambda: f"{sent.invitation_id}: {sent.email} as {sent.role}, until {sent.expires_at[:10]}")


@command("invitations", examples=("monkey orgs invitations", "monkey orgs invitations --withdraw inv_…"))
@click.option("--withdraw", metavar="ID", help="Take this one back.")
@organization_options
@pass_session
def invitations(session: Session, /, withdraw: str | None, **who: Any) -> None:
    """List open invitations, or take one back."""
    with acting(session, Who(**who)) as act:
        if withdraw:
            said = act.organizations.withdraw(act.organization_id, withdraw)
            session.emit(said, text=lambda: said.message)
            return
        found = act.organizations.invitations(act.organization_id)
    rows = [(each.invitation_id, each.email, each.role, each.expires_at[:10]) for each in found.invitations]
    session.emit(found, text=lambda: output.columns(("id", "email", "role", "until"), rows) if rows else "None.")


@command("accept", examples=("monkey orgs accept",))
@click.option("--decline", is_flag=True, help="Answer no.")
@person_options
@pass_session
def accept(session: Session, email: str | None, *, decline: bool, password_stdin: bool) -> None:
    """Join by the code of an invitation, which you are asked for."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        answer = person.client.organizations.decline if decline else person.client.organizations.accept
        said = answer(person.ask(INVITATION))
    session.emit(said, text=lambda: said.message)


orgs = group(
    "orgs",
    "Organizations: who is in them, and what they may use. A key of the organization is used where that is the one in"
    " force; otherwise you log in for each command.",
    *(list_mine, create, use, show, rename, second_factor, delete, leave),
    *(members, change_role, remove, service_account, key, invite, invitations, accept),
    *(teams, projects, limits, rates, rules, policy),
)


def _emit(session: Session, found: OrganizationInfo) -> None:
    pairs: list[tuple[str, object]] = [
        ("id", found.organization_id),
        ("name", found.name),
        ("your role", found.role),
        ("second factor", "required" if found.second_factor_required else "optional"),
    ]
    session.emit(found, text=lambda: output.fields(pairs))


def _member(act: Acting, named: str) -> str:
    for each in act.organizations.members(act.organization_id).members:
        if named in {each.user_id, each.email}:
            return each.user_id
    message = f"Nobody called {named!r} belongs to this organization."
    raise CommandFailed(Exit.USAGE, "not_found", message=message, hint="`monkey orgs members` lists them.")


def _configure(session: Session, organization_id: str) -> None:
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    config_file.update(config_file.user_file(session.environ), {"organization": organization_id})
