"""Hand tools: `ivr ...`. With `ivr.app` the only reader of settings."""
