"""The local cloud: `python -m infra.local` runs what template.yaml describes, on loopback.

template -> deploy say what there is, aws is the embedded AWS, functions and gateway run the code, cloud supervises.
pollers runs event source mappings of queues. Streams, schedules and WebSocket APIs are refused until something here
runs them.
"""
