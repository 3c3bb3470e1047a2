"""One file for each promise that is kept by a call: its test, and the mutants that the test must catch."""
