"""Choose between code and prose, and lay code out as files or as plain fences."""

import re
from random import Random

from monkey_coder_server.sandbox.answers import prose
from monkey_coder_server.sandbox.answers.library import program

_PROSE = re.compile(
    r"^\W*(?:please\s+|can you\s+|could you\s+)*(review|analy[sz]e|audit|explain|describe|summari[sz]e|why|what|how|who"
    r"|when|hello|hi|hey|thanks|compare|should|is|are|does)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(create|implement|write|build|add|generate|develop|make|code|program|script|function|class|api|refactor|fix"
    r"|port|convert|tests?|dockerfile|schema|cli|parser|server|module|library)\b",
    re.IGNORECASE,
)
_TOLD_TO_WRITE_PROSE = re.compile(r"\btask: (review|explain|describe|analy[sz]e|audit)\b", re.IGNORECASE)
_FENCED = re.compile(r"^(`{3,}).*?^\1`*\s*$", re.DOTALL | re.MULTILINE)
_INTRODUCTION = re.compile(r"^[^\n]*:\s*\n")
_LANGUAGE_OF = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "sql": "sql",
    "md": "markdown",
    "toml": "toml",
    "json": "json",
    "txt": "text",
    "yaml": "yaml",
}


def compose(prompt: str, system: str, random: Random) -> str:
    """The text a model answers to a prompt: prose, or the files of a program."""
    request = request_of(prompt)
    if _TOLD_TO_WRITE_PROSE.search(system) or _PROSE.search(request) or not _CODE.search(request):
        return prose.answer(prompt, f"{system}\n{request}" if _TOLD_TO_WRITE_PROSE.search(system) else request, random)
    made = program(request, system, random)
    convention = "path=" in system or "path=" in prompt
    blocks = [block(path, content, with_path=convention) for path, content in made.files.items()]
    opening = random.choice(
        (
            f"“{prose.topic_of(request)}”: here is {made.title}.",
            f"I wrote {made.title}; it needs nothing but the standard tools of its language.",
            f"This is {made.title}, kept small and ready to run.",
        )
    )
    return "\n\n".join([opening, *blocks, made.closing])


def request_of(prompt: str) -> str:
    """What a prompt asks for, without the files it brings along and the line that introduces them."""
    without = _FENCED.sub("", prompt).strip()
    return (_INTRODUCTION.sub("", without, count=1).strip() or without) if without != prompt.strip() else without


def block(path: str, content: str, *, with_path: bool) -> str:
    """A file as a fenced block; its path stands in the info string where that convention was asked for."""
    name = path.rpartition("/")[2]
    language = "dockerfile" if name == "Dockerfile" else _LANGUAGE_OF.get(name.rpartition(".")[2], "text")
    fence = "````" if "```" in content else "```"
    information = f"{language} path={path}" if with_path else language
    return f"{fence}{information}\n{content.rstrip()}\n{fence}"
