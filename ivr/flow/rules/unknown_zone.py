"""There is no such time zone.

Why: Shifts, opening hours and night menus all follow this clock.

Example:

    zone: New York

Cure: Write the zone's name as an area and a city: `America/New_York`.
"""

from zoneinfo import available_timezones

from ivr.flow.diagnostics import Diagnostic, Place, shortened, suggest


def found(zone: str, place: Place) -> Diagnostic:
    ends = zone.rpartition("/")[2].replace(" ", "_").lower()
    same = [known for known in sorted(available_timezones()) if known.lower().endswith(f"/{ends}")]
    otherwise = "Write one like `America/New_York` or `Europe/London`."
    cure = f"Write `{same[0]}`." if same else suggest(zone, available_timezones(), otherwise=otherwise)
    return Diagnostic(place, "unknown-zone", f"There is no time zone `{shortened(zone)}`.", cure)
