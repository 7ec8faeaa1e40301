"""The README tells the truth: its examples run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.process import ROOT, Server, environment

README = (ROOT / "README.md").read_text()


def block(language: str, containing: str) -> str:
    """The README's code block of this language that holds these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.S)
    return next(text for text in blocks if containing in text)


def test_the_python_example_runs(server: Server) -> None:
    code = block("python", "MemoryClient").replace("http://127.0.0.1:8090", server.url)
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint(prompt)"], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "I live in Lisbon since last month." in done.stdout
    assert "From memory:" in done.stdout


def test_the_rest_examples_run(server: Server, tmp_path: Path) -> None:
    code = block("sh", "curl").replace("localhost:8090", server.url.removeprefix("http://"))
    done = subprocess.run(["bash", "-ec", code], env={**environment(), "KEY": "unused"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"episode_ids":["t1"]' in done.stdout


def test_every_command_of_the_table_exists() -> None:
    from typer.main import get_command

    from memory_service.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    table = README.split("## Command line")[1].split("## ")[0]
    named = {
        word
        for cell in re.findall(r"^\| (.*?) \|", table, re.M)
        for word in re.findall(r"`(?:memory-service )?([a-z]+)", cell)
    }
    assert named - {"create", "list", "revoke"} == known


def test_every_document_that_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)", README):
        assert (ROOT / target).exists(), target
