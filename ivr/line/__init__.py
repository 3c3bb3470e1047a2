"""The caller's door: the edge that forgets first, and the webhooks behind it. Pure ASGI, no middleware."""
