"""Words everyone shares: the clock. Knows nothing of the floors above."""
