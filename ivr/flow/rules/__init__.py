"""What the checker proves: one rule, one file, whose docstring is its documentation."""
