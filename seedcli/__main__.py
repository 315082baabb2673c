"""`python -m seedcli` is `seed`."""

from seedcli.main import run

run()
