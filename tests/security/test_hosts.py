"""A service without keys answers only for names of this machine, so that no web page can read it by DNS rebinding."""

import socket

import pytest

from memory_service.errors import HostRefused
from tests.support.problems import refused
from tests.support.process import Server
from tests.support.routes import routes
from tests.support.running import Running, Start

OWN = [
    "localhost",
    "LOCALHOST:8090",
    "localhost:",
    "127.0.0.1",
    "127.0.0.1:8090",
    "127.8.9.10:1",
    "[::1]",
    "[::1]:8090",
]
FOREIGN = [
    "evil.example", "evil.example:8090", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example",
    "127.0.0.1@evil.example", "10.0.0.1", "0.0.0.0", "128.0.0.1", "[::]", "[::2]:8090", "127.1", "2130706433", "0x7f000001",
    "", ":8090", "local host", "localhost, evil.example", "localhost/evil.example", "localhost:80:90", "localhost:port",
    "[::1", "ｌocalhost",
]  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_names_and_addresses_of_this_machine_are_answered(service: Running, host: str) -> None:
    service.append("tea")
    response = service.post("search", {"query": "tea"}, headers={"Host": host})
    assert response.status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_any_other_host_is_refused_and_nothing_is_done(service: Running, host: str) -> None:
    body = {"episodes": [{"content": "tea"}]}
    response = service.http.post(service.url("episodes"), json=body, headers=[("Host", host.encode())])
    refused(response, HostRefused, says="MEMORY_AUTH=keys")
    assert response.status_code == 403
    assert service.count() == 0


def test_every_route_refuses_it(service: Running) -> None:
    known = [(method, path.replace("{ns}", "ann").replace("{id}", "x")) for method, path in routes(service.http.app)]
    assert len(known) > 20
    for method, path in [*known, ("GET", "/metrics"), ("GET", "/openapi.json"), ("GET", "/nowhere"), ("OPTIONS", "/")]:
        refused(service.http.request(method, path, headers={"Host": "evil.example"}), HostRefused)


def test_with_keys_any_host_is_answered(start: Start) -> None:
    service = start(auth="keys")
    assert service.http.get("/readyz", headers={"Host": "memory.example"}).status_code == 200


def test_the_configured_address_is_one_of_its_names(start: Start) -> None:
    service = start(host="127.0.0.53")
    assert service.http.get("/readyz", headers={"Host": "127.0.0.53:8090"}).status_code == 200


@pytest.mark.process
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["127.0.0.1"], 200),
        (["evil.example"], 403),
        (["127.0.0.1", "evil.example"], 403),
        (["evil.example", "127.0.0.1"], 403),
    ],
)
def test_a_real_server_reads_the_header_as_it_was_sent(server: Server, hosts: list[str], status: int) -> None:
    lines = ["GET /readyz HTTP/1.1", *[f"Host: {host}" for host in hosts], "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = connection.makefile("rb").readline().split()
    assert int(answer[1]) == status
