"""Events of `POST /v1/execute/stream`: one `data: {json}` line each, ASCII-escaped, never `[DONE]`.

Keys are only `type`, `data`, `progress`, `error`; absent ones are left out. `delta` events carry
answer text; published clients pass unknown types on or ignore them.
"""

from typing import Any, Literal

import msgspec

EventType = Literal["start", "progress", "delta", "result", "error", "complete"]


class StreamProgress(msgspec.Struct, omit_defaults=True):
    """`percentage` is a number or left out: null breaks a published client's formatter."""

    step: str
    percentage: float | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class StreamError(msgspec.Struct, omit_defaults=True):
    """`code` is an `ErrorCode` value."""

    message: str
    code: str | None = None


class StreamEvent(msgspec.Struct, omit_defaults=True):
    """One event. `complete` carries the full twelve-key response as `data` and ends the stream."""

    type: EventType
    data: Any = msgspec.UNSET
    progress: StreamProgress | msgspec.UnsetType = msgspec.UNSET
    error: StreamError | msgspec.UnsetType = msgspec.UNSET
