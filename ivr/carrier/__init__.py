"""The phone company: its signatures, its XML as documented, and the loopback carrier that stands in for it offline.
Never knows flows, calls or reports."""
