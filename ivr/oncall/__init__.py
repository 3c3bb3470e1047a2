"""Who to ring, and when. Pure: every moment is an argument. Knows people and their hours, never a caller, a call in the
flow's sense, or how a phone is made to ring."""
