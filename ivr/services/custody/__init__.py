"""Who holds which key: founding an organisation, advocates and what each may open, the line's own keys, recovery.
An advocate's private keys exist here only between her passphrase and what she does; the line's process has none."""
