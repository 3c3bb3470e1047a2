"""The changes, in order. Each stands by itself: it names tables and columns as they were then."""
