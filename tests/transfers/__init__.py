"""Warm transfers as callers and advocates live through them: the whole line behind an exchange of many phones."""
