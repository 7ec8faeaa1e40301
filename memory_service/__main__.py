"""`python -m memory_service` is `memory-service`."""

from memory_service.cli import main

if __name__ == "__main__":
    main()
