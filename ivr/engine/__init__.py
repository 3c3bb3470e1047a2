"""The machine a call is: `advance(flow, call, received, now)` gives the next call and what to do. Pure: no clock, no
I/O, no log. When it needs the world it asks, and is called again with the answer."""
