"""Event source mappings: what calls functions without being asked over HTTP.

- mappings: a mapping as the template asks for it, checked by Lambda's rules before anything is made
- filters: which messages and records a mapping's FilterCriteria let through
- sqs: the poller of one queue
- streams: the poller of one table's stream; checkpoints: how far it is; failures: whom it tells what it gave up on
- schedules, expressions: when functions are called, and with what; scheduler: calls them
- calls, answers, clock: what these have in common
- supervisor: starts, replaces and stops them

Sources of other kinds are refused in infra/local/deploy.py.
"""
