"""Conditions of edges and of parameter rows: `{"message.text": {"equals": "예"}}`."""

from shared.conditions.condition import Condition, ConditionError, ConditionProblem, parse_condition
from shared.conditions.paths import parse_path

__all__ = ["Condition", "ConditionError", "ConditionProblem", "parse_condition", "parse_path"]
