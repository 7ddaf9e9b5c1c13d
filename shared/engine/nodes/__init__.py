"""One file a node type: `execute(walk, node, data)` with `data` already rendered."""
