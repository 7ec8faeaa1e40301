"""The yardstick of HTTP: FastAPI reading a JSON body and sending it back, on the same server with the same options."""

import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import Response

app = FastAPI()


@app.post("/echo")
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    """As one writes it: parsed and written again by FastAPI."""
    return body


@app.post("/raw")
async def raw(request: Request) -> Response:
    """The least that FastAPI can do: bytes back."""
    return Response(await request.body(), media_type="application/json")


def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
