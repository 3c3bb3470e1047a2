"""How fast and how small the line is, as ratios taken in one run against two references: a bare Starlette route, and
the app that a reader of Plivo's documentation would write. `make bench` runs it; a figure is one module."""
