"""The flow language, seen through what it makes of files."""
