"""The embedded AWS: moto in a process of its own, its DynamoDB mended until it keeps the service's promises.

Stock moto loses writes under concurrency (a transaction copies whole tables, without a lock), tells stream readers of
changes that never happened and accepts what the service refuses. The modules here replace exactly that:

- conditions: condition and filter expressions, parsed and evaluated by the service's rules
- values: attribute values checked and written the way the service stores them
- requests: everything a request can be refused for before it touches an item
- journal: one lock, one undo log; stream records and persistence follow from what a call really changed
- streams: DynamoDB Streams: records that are kept, read in order, and gone after 24 hours
- queues: SQS: one lock, messages that are kept, and the rules that consumers rely on
- store: what survives a restart, in one SQLite file
- mending: where these are put in moto's place
- outbox, secrets: mail that goes nowhere, and secrets that survive a restart
- server: the HTTP listener

moto is pinned exactly, because this rests on its internals; tests/contract/dynamodb and
tests/contract/sqs say what must hold.
"""
