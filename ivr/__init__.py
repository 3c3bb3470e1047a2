"""Porchlight: an anonymous reporting line by phone. The floors, top down: cli, app, line, services,
store | carrier | channels | vault, engine | oncall, flow, kit. Imports go down only."""

from datetime import UTC, datetime

__version__ = "0.1.0"

RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock of a line shows less: this version did not exist yet. Moved forward with each release."""
