"""Lowering: each verb an admin writes becomes a few primitive steps. One verb, one file."""
