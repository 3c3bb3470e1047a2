"""The phone company, imitated and checked. No network, no sleeping."""
