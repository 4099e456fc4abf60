"""Simulators of all seven providers in their true wire formats, for tests, demos and benchmarks.

Start them from code with `sandbox.server.start()`, or with `monkey-server sandbox`. One server, one port, a path
prefix per provider; base URLs are what each provider's SDK means by one (`RunningSandbox.base_urls`).

Same seed and same order of requests give the same answers, ids, signatures and usage. Any key is accepted unless it
starts with `bad`; any chat model the price data knows for that provider is served, and its embedding models at
OpenAI, Perplexity and Google. OpenAI and xAI answer chat completions and responses. OpenAI's moderations flag what
speaks of killing, hate or bombs.

Steering, most specific wins: rules < header < text.

* `POST /__sandbox/script` with `{"rules": [{…}]}` (or a JSON file for the command): each rule holds directive fields
  plus `provider`, `model`, `contains` (text of the prompt) to match and `times` (default: always).
* Request header `x-sandbox-script: {…}`: directive fields as JSON.
* In the last user message `[[sandbox fault=429 retry_after=1]]` or `[[sandbox tool=write_file parallel=2]]`: removed
  before an answer is chosen, its tokens still counted; `provider=`/`model=` (a prefix) limit it to one candidate.

Directive fields:

* `fault`: `400` `401` `402` `403` `404` `413` `429` `quota` `500` `502` `503` `529` (errors in the provider's shape) ·
  `slow_first_byte` (waits `delay` seconds, default 2) · `slow_drip` (waits `delay`, default 0.05, before each frame) ·
  `hang` (never answers) · `reset` (connection reset before headers) · `cut` (connection reset after `after` frames,
  or in the middle of a whole body) · `eof` (same, but a clean end) · `garbage` (a body that is no JSON, with 200) ·
  `garbage_frame` (one broken SSE frame after `after` frames, then on) · `error_event` (the provider's error event
  after `after` frames) · `no_end` (a stream without its last event) · `crlf` (a stream with such line ends) ·
  `no_usage` · `absurd_usage` · `no_limit` (the token limit is ignored) · `huge` (`size` bytes, default 64 MiB) ·
  `empty` · `refusal` · `content_filter`.
* `retry_after` (the header's value), `message` (of an error), `after` (frames, default 3), `delay`, `size`.
* `tool` (names, comma-separated; `*` for the first offered), `parallel` (how many calls), `args` (JSON object; a
  free-form tool is given its `input`). `tool=web_search` where OpenAI's own is offered: so many searches.
* `text` (answer exactly this), `output_tokens` (pad or cut the text to this length), `reasoning_tokens`.
* `first_token_ms`, `tokens_per_second`, `chunk` (characters a frame), `split` (bytes a socket write).

What was served is told at `GET /__sandbox/tally`, what the last requests looked like (without credentials) at
`GET /__sandbox/requests`; `POST /__sandbox/reset` forgets tally, requests, caches, rules and ids.

Billing rules of the tally: errors are not billed; a stream broken by a fault of this simulator is not billed and is
listed under `faulted`, unless all of it had been sent before (`[DONE]` does not count); a stream its caller abandoned
is billed for what was generated until then and listed under `abandoned` as well, and one whose caller hung up before
the first byte is not billed; `no_usage` and `absurd_usage` change what is reported, never what is billed.
"""
