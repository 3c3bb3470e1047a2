"""Sealing: keys, tokens, receipts, report bodies. The only package that touches cryptography, and always PyNaCl.
Never knows a flow, a caller or a database."""
