"""How a flow meets a person: two-way codecs between the engine's words and XML, texts or terminal lines. Pure. A
channel knows effects, never where a step leads; texts are read for the wait that they answer."""
