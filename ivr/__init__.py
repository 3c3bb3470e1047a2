"""Porchlight: an anonymous reporting line by phone. The floors, top down: cli, app, line, services,
store | carrier | channels | vault, engine | oncall, flow, kit. Imports go down only."""

__version__ = "0.1.0"
