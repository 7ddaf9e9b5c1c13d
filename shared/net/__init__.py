"""The way out: every HTTP request of the platform to a host that somebody else named goes through `guarded_client`."""
