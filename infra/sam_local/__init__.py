"""The deployed functions in containers: `make sam-local`."""
