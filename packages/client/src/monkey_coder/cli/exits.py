"""The exit codes of `monkey`: a contract with scripts, so they only ever grow in number."""

from enum import IntEnum


class Exit(IntEnum):
    """Codes from 64 on follow sysexits.h."""

    DONE = 0
    TASK_FAILED = 1
    USAGE = 2
    STOPPED_BY_LIMIT = 3
    NO_CREDIT = 4
    RATE_LIMITED = 5
    UNUSABLE_OUTPUT = 65
    UNREACHABLE = 69
    INTERNAL = 70
    NOT_AUTHENTICATED = 77
    CONFIGURATION = 78
    INTERRUPTED = 130
    BROKEN_PIPE = 141
