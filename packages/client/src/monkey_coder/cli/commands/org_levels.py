"""`orgs teams|projects|limits|rules|policy`: the levels of an organization, and what each may use."""

from decimal import Decimal
from typing import Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.group import group
from monkey_coder.cli.levels_shown import limit_rows, policy_text, rule_rows
from monkey_coder.cli.options import AMOUNT, pass_session
from monkey_coder.cli.organization_session import Who, acting, confirm, organization_options
from monkey_coder.cli.session import Session
from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES
from monkey_coder_protocol.organizations import CreateProject, SetLimit, SetModelRule

LEVELS = click.Choice(["organization", "team", "project", "key"])
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@command("list", examples=("monkey orgs teams list",))
@organization_options
@pass_session
def list_teams(session: Session, /, **who: Any) -> None:
    """List its teams."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.teams(act.organization_id)
    rows = [(each.team_id, each.name) for each in found.teams]
    session.emit(found, text=lambda: output.columns(("id", "name"), rows) if rows else "No teams.")


@command("create", examples=("monkey orgs teams create Web",))
@click.argument("name")
@organization_options
@pass_session
def create_team(session: Session, /, name: str, **who: Any) -> None:
    """Make a team called NAME. Its id is printed."""
    with acting(session, Who(**who)) as act:
        made = act.organizations.create_team(act.organization_id, name)
    session.emit(made, text=lambda: made.team_id)


@command("rename", examples=("monkey orgs teams rename team_… Site",))
@click.argument("team_id")
@click.argument("name")
@organization_options
@pass_session
def rename_team(session: Session, /, team_id: str, name: str, **who: Any) -> None:
    """Call the team TEAM_ID NAME."""
    with acting(session, Who(**who)) as act:
        made = act.organizations.rename_team(act.organization_id, team_id, name)
    session.emit(made, text=lambda: f"{made.team_id}  {made.name}")


@command("delete", examples=("monkey orgs teams delete team_…",))
@click.argument("team_id")
@_yes
@organization_options
@pass_session
def delete_team(session: Session, /, team_id: str, *, yes: bool, **who: Any) -> None:
    """Delete the team TEAM_ID with its projects and their keys."""
    confirm(session, team_id, yes=yes, deed="delete the team with its projects")
    with acting(session, Who(**who)) as act:
        said = act.organizations.delete_team(act.organization_id, team_id)
    session.emit(said, text=lambda: said.message)


@command("list", examples=("monkey orgs projects list",))
@organization_options
@pass_session
def list_projects(session: Session, /, **who: Any) -> None:
    """List its projects."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.projects(act.organization_id)
    rows = [(each.project_id, each.name, each.team_id or "-") for each in found.projects]
    session.emit(found, text=lambda: output.columns(("id", "name", "team"), rows) if rows else "No projects.")


@command("create", examples=("monkey orgs projects create shop --team team_…",))
@click.argument("project_id")
@click.option("--team", "team_id", metavar="ID", help="Of this team, for good.")
@click.option("--name", metavar="NAME", help="What it is called; its id when left out.")
@organization_options
@pass_session
def create_project(session: Session, /, project_id: str, team_id: str | None, name: str | None, **who: Any) -> None:
    """Make the project PROJECT_ID, which keys and usage will name."""
    wish = CreateProject(project_id=project_id, team_id=team_id, name=name)
    with acting(session, Who(**who)) as act:
        made = act.organizations.create_project(act.organization_id, wish)
    session.emit(made, text=lambda: made.project_id)


@command("rename", examples=("monkey orgs projects rename shop 'The new shop'",))
@click.argument("project_id")
@click.argument("name")
@organization_options
@pass_session
def rename_project(session: Session, /, project_id: str, name: str, **who: Any) -> None:
    """Call the project PROJECT_ID NAME; its id stays."""
    with acting(session, Who(**who)) as act:
        made = act.organizations.rename_project(act.organization_id, project_id, name)
    session.emit(made, text=lambda: f"{made.project_id}  {made.name}")


@command("delete", examples=("monkey orgs projects delete shop",))
@click.argument("project_id")
@_yes
@organization_options
@pass_session
def delete_project(session: Session, /, project_id: str, *, yes: bool, **who: Any) -> None:
    """Delete the project PROJECT_ID with its keys."""
    confirm(session, project_id, yes=yes, deed="delete the project")
    with acting(session, Who(**who)) as act:
        said = act.organizations.delete_project(act.organization_id, project_id)
    session.emit(said, text=lambda: said.message)


@command("list", examples=("monkey orgs limits list",))
@organization_options
@pass_session
def list_limits(session: Session, /, **who: Any) -> None:
    """List every limit in it, with what is left."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.limits(act.organization_id)
    session.emit(found, text=lambda: limit_rows(found.limits))


@command(
    "set",
    examples=(
        "monkey orgs limits set team team_… --month --usd 200",
        "monkey orgs limits set organization --day --none",
    ),
)
@click.argument("level", type=LEVELS)
@click.argument("holder_id", required=False)
@click.option("--day", "period", flag_value="day", help="Per UTC day.")
@click.option("--month", "period", flag_value="month", help="Per UTC month.")
@click.option("--total", "period", flag_value="total", help="In total.")
@click.option("--usd", type=AMOUNT, metavar="USD", help="Most that may be spent.")
@click.option("--tokens", type=click.IntRange(min=0), metavar="N", help="Most tokens.")
@click.option("--none", "none", is_flag=True, help="Take the limits of that time back.")
@click.option("--model", metavar="NAME", help="Only of this provider/model.")
@organization_options
@pass_session
def set_limit(  # noqa: PLR0913  # one parameter an option
    session: Session,
    /,
    level: str,
    holder_id: str | None,
    *,
    period: str | None,
    usd: Decimal | None,
    tokens: int | None,
    model: str | None,
    none: bool,
    **who: Any,
) -> None:
    """Limit LEVEL: organization, or a team, project or key by its id."""
    if period is None or [usd is not None, tokens is not None, none].count(True) != 1:
        message = "Say one of --day, --month and --total, and one of --usd, --tokens and --none."
        raise click.UsageError(message)
    amount = None if usd is None else f"{usd:f}"
    wish = SetLimit(holder=level, holder_id=holder_id, period=period, usd=amount, tokens=tokens, model=model)
    with acting(session, Who(**who)) as act:
        found = act.organizations.set_limit(act.organization_id, wish)
    session.emit(found, text=lambda: limit_rows(found.limits))


@command("list", examples=("monkey orgs rules list",))
@organization_options
@pass_session
def list_rules(session: Session, /, **who: Any) -> None:
    """List what its levels say of models."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.model_rules(act.organization_id)
    session.emit(found, text=lambda: rule_rows(found.rules))


@command(
    "set",
    examples=(
        "monkey orgs rules set organization --deny 'xai/*'",
        "monkey orgs rules set project shop --collapse vote",
        "monkey orgs rules set team team_… --max-output-usd 15 --data-policy no_training",
    ),
)
@click.argument("level", type=LEVELS)
@click.argument("holder_id", required=False)
@click.option("--allow", multiple=True, metavar="NAME", help="Only this model, or provider/*; repeatable.")
@click.option("--deny", multiple=True, metavar="NAME", help="Not this model, nor provider/*; repeatable.")
@click.option(
    "--collapse",
    type=click.Choice(COLLAPSE_STRATEGIES),
    help="How several models are asked for one answer where a request says nothing of it.",
)
@click.option("--max-input-usd", type=AMOUNT, metavar="USD", help="Most a million input tokens may cost.")
@click.option("--max-output-usd", type=AMOUNT, metavar="USD", help="Most a million output tokens may cost.")
@click.option("--capability", multiple=True, metavar="NAME", help="Only models that can do this; repeatable.")
@click.option("--data-policy", multiple=True, metavar="NAME", help="Only providers known for this; repeatable.")
@organization_options
@pass_session
def set_rule(  # noqa: PLR0913  # one parameter an option
    session: Session,
    /,
    level: str,
    holder_id: str | None,
    *,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    collapse: str | None,
    max_input_usd: Decimal | None,
    max_output_usd: Decimal | None,
    capability: tuple[str, ...],
    data_policy: tuple[str, ...],
    **who: Any,
) -> None:
    """Say what LEVEL (as in `limits set`) says of models, in place of what it said; without an option nothing."""
    wish = SetModelRule(
        holder=level,
        holder_id=holder_id,
        allow=list(allow) or None,
        deny=list(deny),
        collapse=collapse,
        max_input_usd=None if max_input_usd is None else f"{max_input_usd:f}",
        max_output_usd=None if max_output_usd is None else f"{max_output_usd:f}",
        capabilities=list(capability),
        data_policies=list(data_policy),
    )
    with acting(session, Who(**who)) as act:
        found = act.organizations.set_model_rule(act.organization_id, wish)
    session.emit(found, text=lambda: rule_rows(found.rules))


@command("policy", examples=("monkey orgs policy key_…",))
@click.argument("key_id")
@organization_options
@pass_session
def policy(session: Session, /, key_id: str, **who: Any) -> None:
    """Show what all levels come to for the key KEY_ID."""
    with acting(session, Who(**who)) as act:
        found = act.organizations.policy(act.organization_id, key_id)
    pairs: list[tuple[str, object]] = [
        ("team", found.team_id),
        ("project", found.project_id),
        ("may", " ".join(found.scopes)),
        ("several models", found.collapse or "only where a request asks for them"),
        ("models", len(found.models)),
    ]
    session.emit(found, text=lambda: policy_text(pairs, found))


teams = group("teams", "Its teams.", list_teams, create_team, rename_team, delete_team)
projects = group("projects", "Its projects.", list_projects, create_project, rename_project, delete_project)
limits = group("limits", "What its levels may spend; a request must fit into all of them.", list_limits, set_limit)
rules = group("rules", "Which models its levels may use; all of them must permit a model.", list_rules, set_rule)
