"""How long a turn waits for what is outside its process, in seconds of the machine's own clock.

They are the only real time that a call depends on, and they stand in one value: where time is virtual, a test hands in
limits that never end."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """A caller hears something within 2 seconds, so each of these is shorter, and together with the rest of a turn
    they stay below it."""

    save: float = 1.5
    """A report's save, from the seal to the commit; after it, the caller is told that it is not saved."""
    live: float = 0.7
    """A transaction on the rows of live calls; after it, the carrier dials for us."""
    rota: float = 0.5
    """A look at the rota; after it, the rota that was known last counts."""
    rate_limit: float = 0.25
    """A try that is counted: what the caller asked for is still to be looked up."""
    shift_change: float = 1.0
    """A change of shifts by phone: longer than a look, because others may be writing."""
    claim: float = 4.0
    """The wait for another worker that is answering the same person's last text."""
    text: float = 1.5
    """The answers of one text, after which the rest of it is left. Plivo waits 8 seconds for the answer to a text; the
    last answer may take `save` of these, live rows two, and `rest_text` the reply."""
    rest: float = 1.0
    """A request to the carrier's REST API to ring a phone, or to end it. Plivo answers in a fraction of that."""
    rest_text: float = 3.0
    """All that is done to send one text, a second try included."""
