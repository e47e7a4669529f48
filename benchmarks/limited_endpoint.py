"""A chat endpoint that permits so many requests a minute, and counts.

`python -m benchmarks.limited_endpoint PER_MINUTE SECONDS_AN_ANSWER BROKEN_EVERY`

It prints its port. `GET /v1/counts` gives, as JSON: `answered`, `refused` (429: over the limit), `again`
(question -> answers beyond its first), `first` and `last` (the times of the first and the last answer).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, deque
from typing import Any

WINDOW = 60.0  # seconds: the limit is one a minute


class Endpoint:
    def __init__(self, per_minute: int, seconds: float, broken_every: int) -> None:
        self._limit, self._seconds, self._broken = per_minute, seconds, broken_every
        self._recent: deque[float] = deque()
        self._answers: Counter[str] = Counter()
        self._refused = self._came = 0
        self._times: list[float] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                length = 0
                while (header := await reader.readline()).strip():
                    name, _, value = header.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                body = await reader.readexactly(length)
                status, answer, more = await self._answer(line, body)
                data = json.dumps(answer).encode()
                head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}"
                writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes, body: bytes) -> tuple[int, dict[str, Any], str]:
        if line.startswith(b"GET"):
            return 200, self._counts(), ""
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        if len(self._recent) >= self._limit:
            self._refused += 1
            wait = self._recent[0] + WINDOW - now
            return 429, {"error": {"message": "Rate limit reached"}}, f"Retry-After: {wait:.3f}\r\n"
        self._recent.append(now)
        self._came += 1
        await asyncio.sleep(self._seconds)
        if self._broken and self._came % self._broken == 0:
            return 500, {"error": {"message": "The server had an error"}}, ""
        self._answers[json.loads(body)["messages"][0]["content"]] += 1
        self._times.append(now)
        message = {"role": "assistant", "content": '{"resolve_yn": "yes"}'}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28}
        return 200, {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
                     "usage": usage}, ""  # fmt: skip

    def _counts(self) -> dict[str, Any]:
        again = {question: n - 1 for question, n in self._answers.items() if n > 1}
        first, last = (self._times[0], max(self._times)) if self._times else (0.0, 0.0)
        return {"answered": len(self._answers), "refused": self._refused, "again": again, "first": first,
                "last": last}  # fmt: skip


async def main(per_minute: int, seconds: float, broken_every: int) -> None:
    endpoint = Endpoint(per_minute, seconds, broken_every)
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
