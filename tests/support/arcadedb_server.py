"""ArcadeDB with its Bolt server, in a process of its own: `python -m tests.support.arcadedb_server FOLDER PASSWORD`."""

import signal
import socket
import sys
import threading

DATABASE = "graph"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def main() -> None:
    import arcadedb_embedded

    folder, password = sys.argv[1:]
    port = free_port()
    server = arcadedb_embedded.create_server(
        root_path=folder,
        root_password=password,
        config={
            "host": "127.0.0.1",
            "http_port": free_port(),
            "bolt_port": port,
            "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        },
    )
    stopped = threading.Event()
    server.start()
    server.create_database(DATABASE)
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    print(f"\nready bolt://127.0.0.1:{port}", flush=True)
    stopped.wait()
    server.stop()


if __name__ == "__main__":
    main()
