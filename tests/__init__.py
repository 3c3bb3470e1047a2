"""What Porchlight promises, each with the test that proves it. Mirrors `ivr/`."""
