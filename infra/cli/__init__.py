"""The command line `malgil`: use cases called with the credentials of whoever types."""
