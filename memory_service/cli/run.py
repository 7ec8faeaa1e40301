"""serve and worker: the long-running processes."""

import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memory_service.cli.console import err
from memory_service.errors import ConfigurationError
from memory_service.settings import Settings, load_settings

if TYPE_CHECKING:
    from memory_service.log.store import Store

_BACKLOG: Final = 1024
_FIRST_KEY: Final = "first-admin-key"


def register(app: typer.Typer) -> None:
    """Adds this module's commands."""
    app.command()(serve)
    app.command()(worker)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the store.")] = None,
) -> None:
    """Run the service until it is stopped."""
    import uvicorn

    from memory_service.app import build_app, build_service
    from memory_service.observability.logs import configure_logs

    settings = load_settings(host=host, port=port, data_dir=data_dir)
    configure_logs(settings.log_format, settings.log_level)
    listener = _listen(settings)
    service = build_service(settings)
    app = build_app(settings, service)
    make_first_key(settings, service.store)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=20, lifespan="on")
    err.print(f"Listening on {_url(settings.host, listener)}", highlight=False, soft_wrap=True)
    uvicorn.Server(config).run(sockets=[listener])


def worker(data_dir: Annotated[Path | None, typer.Option(help="Folder of the store.")] = None) -> None:
    """Run a worker of its own, beside a server with MEMORY_WORKER=off, until it is stopped."""
    from memory_service.app import build_service
    from memory_service.observability.logs import configure_logs

    settings = load_settings(data_dir=data_dir)
    configure_logs(settings.log_format, settings.log_level)
    service = build_service(settings, save_snapshots=False)
    stop = threading.Event()

    def on_signal(_number: int, _frame: object) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    service.start()
    err.print(f"Working on {service.store.database.path}", highlight=False, soft_wrap=True)
    while not stop.wait(1.0) and service.worker.is_healthy:
        pass
    healthy = service.worker.is_healthy
    service.close()
    raise typer.Exit(0 if healthy else 1)


def make_first_key(settings: Settings, store: "Store") -> None:
    """A service that needs keys and has none writes its first admin key to a file that only its user can read.

    The key is never printed or logged: logs are kept and shared.
    """
    from memory_service.log.keys import any_key, create_key, new_secret

    if settings.auth == "off":
        return
    with store.database.read() as connection:
        if any_key(connection):
            return
    path = settings.data_dir / _FIRST_KEY
    path.unlink(missing_ok=True)
    # The file first: a key that was stored and never written down could not be used, and would keep a next one from being made.
    secret = new_secret()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    store.writer.write(lambda tx: create_key(tx, "first admin", ["admin"], ["*"], secret))
    err.print(f"The first admin key is in {path}; read it, store it safely and delete the file.", soft_wrap=True)


def _listen(settings: Settings) -> socket.socket:
    """Binds before anything slow happens, so that a taken port is told at once. Raises ConfigurationError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Set MEMORY_PORT to a free port, or 0."
        ) from error
    # Connections queue from here on: whoever reads the address below may connect at once.
    listener.listen(_BACKLOG)
    return listener


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
