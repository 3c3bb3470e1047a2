"""There is no such time zone.

Why: Shifts, opening hours and night menus all follow this clock.

Example:

    zone: New York

Cure: Write the zone's name from the tz database: `America/New_York`.
"""


