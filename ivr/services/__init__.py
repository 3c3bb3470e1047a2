"""Use cases: one function for each thing the line does for somebody, one transaction per ask. Knows the floors below,
never HTTP."""
