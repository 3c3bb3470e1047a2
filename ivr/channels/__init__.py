"""How a flow meets a person: two-way codecs between the engine's words and XML or terminal lines. Pure. A channel
knows effects only, never steps."""
