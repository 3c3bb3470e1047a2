"""A length of time has no unit.

Why: Seconds and minutes mixed up have left callers waiting for an hour.

Example:

    ring: [ { on_call: 25 } ]

Cure: Write `25s`, `2min`, `72 hours` or `90 days`.
"""


