"""The command line `memory-service`. Commands on a running service go through the SDK; the others open the store themselves."""

import sys

import typer

from memory_service.cli import data, demo, evaluate, graph, maintain, run
from memory_service.cli.console import fail
from memory_service.errors import MemoryServiceError

app = typer.Typer(
    help="Long-term memory for agents.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (run, demo, data, graph, maintain, evaluate):
    module.register(app)


def main() -> None:
    """The console script: every error of ours is one clear line and exit code 1."""
    try:
        app()
    except MemoryServiceError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
