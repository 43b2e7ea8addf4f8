"""`python -m kizuki.cli`: what the launcher runs."""

from kizuki.cli.main import main

if __name__ == "__main__":
    main()
