"""Names under which this gateway offers models to clients that judge a model by its name.

Claude Code lists only ids that begin with `claude` or `anthropic`; Codex and opencode take what is new to them for a
plain model. So every model, and `auto` in each of its modes, may be called `mk-…` and `claude-mk-…`, too.
"""

PREFIX = "mk-"
FOR_CLAUDE_CODE = "claude-mk-"
_PREFIXES = (FOR_CLAUDE_CODE, "anthropic-mk-", PREFIX)
_AUTO = "auto-"


def plain_name(name: str) -> str:
    """A name (in lower case) without our prefix; `mk-auto-cheap` is `auto:cheap`: not every client takes a colon."""
    prefix = next((each for each in _PREFIXES if name.startswith(each)), None)
    if prefix is None:
        return name
    bare = name.removeprefix(prefix)
    return f"auto:{bare.removeprefix(_AUTO)}" if bare.startswith(_AUTO) else bare


def name_for_claude_code(name: str) -> str:
    """The id of a model in Claude Code's list: its own where that begins as it must."""
    return name if name.startswith(("claude", "anthropic")) else FOR_CLAUDE_CODE + name.replace(":", "-")
