"""`python -m ivr` is `ivr`."""

from ivr.cli.main import main

main()
