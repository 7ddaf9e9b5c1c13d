"""The certificate authority of the HTTP tests, for receivers with TLS."""

from tests.integration.net.conftest import authority, trusting

__all__ = ["authority", "trusting"]
