"""flow: jumps to another flow, or to a node of it. flowId and nodeId may be templates."""

from typing import Any

from shared.bot.model import Node, read_id
from shared.engine.outcome import Jump, NodeFailed, Outcome
from shared.engine.walk import Walk


def execute(walk: Walk, node: Node, data: dict[str, Any]) -> Outcome:
    del walk, node
    flow_id = read_id(data.get("flowId"))
    if flow_id is None:
        raise NodeFailed("FlowNotFound", f"no flow {data.get('flowId')!r}")
    target = data.get("nodeId")
    node_id = None if target in (None, "") else read_id(target)
    if target not in (None, "") and node_id is None:
        raise NodeFailed("NodeNotFound", f"no node {target!r} in flow {flow_id}")
    return Jump(flow_id, node_id, missing_is_error=True)
