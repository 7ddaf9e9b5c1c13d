"""API Gateway's WebSocket API on loopback.

- api: what a template says of it
- events: what its functions are called with, and what their answers mean
- server: the listener; connections that live, and `@connections`
"""
