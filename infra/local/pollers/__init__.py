"""Event source mappings: what calls functions without being asked over HTTP.

- mappings: a mapping as the template asks for it, checked by Lambda's rules before anything is made
- filters: which messages a mapping's FilterCriteria let through
- sqs: the poller of one queue
- supervisor: starts, replaces and stops them

Each kind of source has one file. Sources of other kinds are refused in infra/local/deploy.py until theirs is written.
"""
