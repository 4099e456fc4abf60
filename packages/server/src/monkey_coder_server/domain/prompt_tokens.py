"""How many tokens a request can be, at most and probably, without any provider's tokenizer.

At most: every tokenizer of our providers (byte-level BPE, SentencePiece with byte fallback) spends at least one byte of
UTF-8 on a token, so bytes bound tokens; what providers add around messages and tools is bounded by constants well above
what their own counts show. Probably: by `tokenizers`, which weighs what is counted here as each family was seen to.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Json,
    ModelRequest,
    Part,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from monkey_coder_server.domain.tokenizers import ANY, Calibration

REQUEST_OVERHEAD = 768
"""Some models are served with a preamble of the provider's own that counts as prompt: 165 tokens recorded for
grok-4-1-fast, about 70 for gpt-oss, above 600 reported for grok-4."""
MESSAGE_OVERHEAD = 16
TOOL_OVERHEAD = 64
TOOLS_OVERHEAD = 1_024
"""Anthropic prepends 300 to 550 tokens of instructions once tools are offered; others less."""

IMAGE_BOUND = 16_384
"""Above a catalogued model's dearest image: OpenAI 10,000 patches x 1.62, Anthropic 4,784, Gemini 2,240."""
EXPECTED_IMAGE = 1_600

DOCUMENT_BASE = 4_096
DOCUMENT_TOKENS_PER_BYTE = 4
"""A page of PDF is at least about a kilobyte of file and at most about 4,600 tokens (3,000 of text, 1,600 as image)."""
DOCUMENT_BYTES_PER_EXPECTED_TOKEN = 20
REMOTE_DOCUMENT_BOUND = 2_000_000
"""A document we never see may fill the largest context window; callers cap the sum by the model's own window."""
EXPECTED_REMOTE_DOCUMENT = 10_000

SERVER_TOOL_BOUND = 200_000
"""What a tool the provider runs itself may add to the prompt: a search is 10,000 to 20,000 tokens, and a model searches
several times. What goes beyond is the house's loss."""


def expected_tokens(request: ModelRequest) -> int:
    """A fair guess of the prompt tokens, for a model not known yet."""
    return prompt_size(request).expected_tokens


@dataclass(slots=True)
class PromptSize:
    """What was found in a request; `bytes` of UTF-8 text and JSON, `document_bytes` of decoded files.

    `sent_bytes` are those of a request that may be passed on as its caller wrote it, files apart: it may say more than
    the neutral conversation holds.
    """

    bytes: int = 0
    sent_bytes: int = 0
    encoded_bytes: int = 0
    """Base64 of files."""
    messages: int = 0
    """Turns, calls and results."""
    calls: int = 0
    """Calls and results among them."""
    wide_bytes: int = 0
    """Part of `bytes`: those of characters beyond ASCII."""
    argument_bytes: int = 0
    """Part of `bytes`: of tool calls."""
    schema_bytes: int = 0
    """Part of `bytes`: of tools' schemas."""
    output_bytes: int = 0
    """Part of `bytes`: of the schema asked for."""
    unread_bytes: int = 0
    """Part of `bytes`: ids, signatures and sealed thoughts, which no model reads as they stand."""
    tools: int = 0
    server_tools: int = 0
    images: int = 0
    documents: int = 0
    document_bytes: int = 0
    remote_documents: int = 0

    def text(self, *pieces: str | None) -> None:
        """Count texts; ASCII, the common case, without encoding it."""
        for piece in pieces:
            if piece and piece.isascii():
                self.bytes += len(piece)
            elif piece:
                written = len(piece.encode("utf-8", "surrogatepass"))
                self.bytes += written
                self.wide_bytes += written - len(piece.encode("ascii", "ignore"))

    def unread(self, *pieces: str | None) -> None:
        """Count ids and what is encrypted."""
        self.unread_bytes += self._grown(*pieces)

    def called(self, *pieces: str | None) -> None:
        """Count what a tool is called with."""
        self.argument_bytes += self._grown(*pieces)

    def schema(self, value: Json) -> None:
        """Count the schema of a tool."""
        self.schema_bytes += self._grown(_written(value))

    def asked(self, schema: Json) -> None:
        """Count the schema the answer is to follow."""
        self.output_bytes += self._grown(_written(schema))

    def json(self, value: Json) -> None:
        """Count a JSON value as it would be written, without spaces; an absent one is nothing."""
        self.text(_written(value))

    def _grown(self, *pieces: str | None) -> int:
        """Count texts that are told apart from others; how many bytes of them are ASCII."""
        before, wide = self.bytes, self.wide_bytes
        self.text(*pieces)
        return self.bytes - before - (self.wide_bytes - wide)

    @property
    def server_tool_tokens(self) -> int:
        """The part of `most_tokens` that comes only where the tools are run by their provider."""
        return self.server_tools * SERVER_TOOL_BOUND

    @property
    def most_tokens(self) -> int:
        """No provider counts more prompt tokens than this (callers may cap it by the model's context window)."""
        return (
            REQUEST_OVERHEAD
            + max(self.bytes, self.sent_bytes - self.encoded_bytes)
            + self.messages * MESSAGE_OVERHEAD
            + self.tools * TOOL_OVERHEAD
            + (TOOLS_OVERHEAD if self.tools else 0)
            + self.server_tools * SERVER_TOOL_BOUND
            + self.images * IMAGE_BOUND
            + self.documents * DOCUMENT_BASE
            + self.document_bytes * DOCUMENT_TOKENS_PER_BYTE
            + self.remote_documents * REMOTE_DOCUMENT_BOUND
        )

    @property
    def plain_bytes(self) -> int:
        """Part of `bytes`: ASCII of texts and descriptions."""
        told_apart = self.wide_bytes + self.argument_bytes + self.schema_bytes + self.output_bytes + self.unread_bytes
        return self.bytes - told_apart

    @property
    def expected_tokens(self) -> int:
        """A fair guess of the prompt tokens of a model not known yet; never above `most_tokens`."""
        return self.expected_by(ANY)

    def expected_by(self, calibration: Calibration) -> int:
        """A fair guess of the prompt tokens by a family's calibration; never above `most_tokens`."""
        guess = calibration.tokens(
            turns=self.messages - self.calls,
            calls=self.calls,
            tools=self.tools,
            plain=self.plain_bytes,
            wide=self.wide_bytes,
            arguments=self.argument_bytes,
            schemas=self.schema_bytes,
            output=self.output_bytes,
            unread=self.unread_bytes,
        )
        files = (
            self.images * EXPECTED_IMAGE
            + -(-self.document_bytes // DOCUMENT_BYTES_PER_EXPECTED_TOKEN)
            + self.remote_documents * EXPECTED_REMOTE_DOCUMENT
        )
        return min(self.most_tokens, guess + files)


def _written(value: Json) -> str | None:
    """JSON without spaces; None for what is not there."""
    if value is None or value == {}:
        return None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)


def prompt_size(request: ModelRequest) -> PromptSize:
    """Everything in a request that a provider counts as prompt."""
    size = PromptSize()
    for message in request.messages:
        size.messages += 1
        if message.name:
            size.text(message.name)
        if message.extra:
            size.json(message.extra)
        _add_parts(size, message.parts)
    for tool in request.tools:
        _add_tool(size, tool)
    if request.output is not None:
        size.text(request.output.name)
        size.asked(request.output.schema)
    if request.extra:
        size.json(request.extra)
    if request.source is not None:
        size.sent_bytes = len(request.source.body)
        size.server_tools += request.source.server_tools
    return size


def _add_tool(size: PromptSize, tool: Tool) -> None:
    size.tools += 1
    size.server_tools += tool.server is not None and not tool.run_by_caller
    size.text(tool.name, tool.description)
    if tool.grammar is not None:
        size.text(tool.grammar.syntax, tool.grammar.definition)
    size.schema(tool.schema)
    size.schema(tool.server)


def _add_parts(size: PromptSize, parts: Iterable[Part]) -> None:
    for part in parts:
        match part:
            case Text(text) | Refusal(text):
                size.text(text)
            case Image():
                size.images += 1
                size.encoded_bytes += len(part.data or "") or _embedded(part.url)
            case Document():
                _add_document(size, part)
            case ToolCall():
                size.messages += 1
                size.calls += 1
                size.called(part.name, part.arguments)
                size.unread(part.id, part.signature)
            case ToolResult():
                size.messages += 1
                size.calls += 1
                size.unread(part.call_id, part.name)
                _add_parts(size, part.parts)
            case Thinking():
                size.text(part.text)
                size.unread(part.signature, part.redacted)
            case _:
                size.json(part.raw)


def _add_document(size: PromptSize, document: Document) -> None:
    size.documents += 1
    size.text(document.name, document.text)
    size.encoded_bytes += len(document.data or "")
    if document.data:
        size.document_bytes += len(document.data) * 3 // 4 + 1
    elif not document.text:
        size.remote_documents += 1


def _embedded(url: str | None) -> int:
    """Characters of an image that is its own address."""
    return len(url) if url is not None and url.startswith("data:") else 0
