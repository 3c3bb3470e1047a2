"""The flow language: YAML in, a `Flow` of primitive steps or a list of diagnostics out. Pure: it is handed bytes
and gives back values; it opens no file, reads no clock and knows nothing of calls, phones or reports kept."""
