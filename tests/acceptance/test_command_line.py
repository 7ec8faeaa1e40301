"""The command line as its user meets it: real processes, real output, one clear line for every error."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import Server, command, serving


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "server", tmp_path / "data") as server:
        yield server


def test_the_demo_answers_with_sources_and_stops(tmp_path: Path) -> None:
    done = command("demo", "--questions", "4", embedding_model="test", model_dir=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "97 episodes durable in" in done.stdout
    assert "What is Callum allergic to?" in done.stdout
    assert "s2.t14" in done.stdout
    assert "The evidence was among the first" in done.stdout
    assert "stopped" in done.stdout


def test_the_demo_takes_a_locomo_file(tmp_path: Path) -> None:
    turn = {"speaker": "Ana", "dia_id": "D1:1", "text": "My cat is called Nube.", "blip_caption": "a grey cat"}
    conversation = {
        "speaker_a": "Ana",
        "speaker_b": "Ben",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [turn],
    }
    question = {"question": "What is the cat called?", "answer": "Nube", "evidence": ["D1:1"], "category": 4}
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([{"sample_id": "conv-1", "conversation": conversation, "qa": [question]}]))
    done = command("demo", "--data", str(file), embedding_model="test", model_dir=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "[shares a grey cat]" in done.stdout
    assert "1 of 1 questions" in done.stdout


def test_a_conversation_goes_in_is_found_moves_and_comes_back(running: Server, tmp_path: Path) -> None:
    url = {"url": running.url}
    demo = "memory_service/data/demo_conversation.json"
    assert "97 episodes" in command("ingest", "home", demo, **url).stdout
    found = command("search", "home", "What is Callum allergic to?", "--explain", **url)
    assert "Cashews" in found.stdout
    assert "lexical" in found.stdout
    exported = tmp_path / "home.jsonl"
    assert command("export", "home", str(exported), **url).returncode == 0
    imported = command("import", "away", str(exported), **url)
    assert "97 episodes" in imported.stdout
    status = command("status", **url)
    assert "away" in status.stdout
    assert status.returncode == 0
    saved = tmp_path / "saved.db"
    assert command("backup", str(saved), data_dir=str(running.data_dir)).returncode == 0
    rebuilt = command("rebuild", data_dir=str(running.data_dir), embedding_model="test")
    assert "Logical digest" in rebuilt.stdout
    elsewhere = str(tmp_path / "elsewhere")
    assert command("restore", str(saved), data_dir=elsewhere).returncode == 0
    assert command("doctor", data_dir=elsewhere, embedding_model="test").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (("status",), {"url": "http://127.0.0.1:9"}, "Is the service running"),
        (("serve",), {"auth": "off", "host": "0.0.0.0"}, "MEMORY_AUTH=off is refused"),
        (("serve",), {"port": "many"}, "MEMORY_PORT"),
        (("serve",), {"port": "0", "auth": "off", "rate_limit": "often"}, "MEMORY_RATE_LIMIT"),
        (("serve",), {"port": "0", "database_url": "mysql://x"}, "sqlite"),
        (("serve",), {"port": "0", "embedding_model": "/no/such/folder"}, "no model folder"),
        (("keys", "list"), {}, "There is no store"),
        (("keys", "create", "x", "--scope", "rule"), {}, "scopes"),
        (("backup", "x.db"), {}, "There is no store"),
        (("restore", "no-such.db"), {}, "is not a file"),
        (("ingest", "ns", "no-such.json"), {}, "Cannot read"),
        (("ingest", "ns", "pyproject.toml"), {}, "not JSON"),
        (("demo", "--data", "no-such.json"), {}, "Cannot read"),
    ],
)
def test_every_error_is_one_clear_line_and_a_bad_exit(
    arguments: tuple[str, ...], settings: dict[str, str], says: str, tmp_path: Path
) -> None:
    given = {"data_dir": str(tmp_path / "none"), "embedding_model": "test", **settings}
    done = command(*arguments, **given)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("Error:")]) == 1


def test_a_taken_port_is_told(running: Server, tmp_path: Path) -> None:
    port = running.url.rsplit(":", 1)[1]
    done = command("serve", port=port, auth="off", embedding_model="test", data_dir=str(tmp_path / "other"))
    assert done.returncode == 1
    assert "Set MEMORY_PORT to a free port" in done.stderr


def test_a_damaged_database_is_refused_and_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"this is no database at all" * 100)
    settings = {"data_dir": str(tmp_path), "embedding_model": "test", "auth": "off", "port": "0"}
    assert "restore a backup" in command("serve", **settings).stderr
    done = command("doctor", **settings)
    assert done.returncode == 1
    assert "damaged" in done.stdout


def test_a_worker_process_of_its_own_does_the_servers_work(tmp_path: Path) -> None:
    import subprocess
    import sys

    from tests.support.polling import eventually
    from tests.support.process import ROOT, environment

    settings = {"data_dir": str(tmp_path / "data"), "embedding_model": "test"}
    with serving(tmp_path / "server", tmp_path / "data", worker="off") as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "memory_service", "worker"],
            cwd=ROOT,
            env=environment(**settings),
            stderr=subprocess.DEVNULL,
        )
        try:
            with server.client() as http:
                body = {"episodes": [{"id": "a", "content": "Nube is a grey cat."}]}
                answer = http.post("/v1/namespaces/n/episodes?wait=enriched&timeout_ms=30000", json=body)
                assert answer.json()["episodes"][0]["status"] == "enriched"
                eventually(lambda: http.get("/v1/namespaces/n/notes").json()["items"])
        finally:
            process.terminate()
            assert process.wait(30) == 0
