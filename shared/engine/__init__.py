"""The flow engine: one inbound event in; messages, events, effects and the new state out. Pure."""

from shared.engine.effects import Answered, Attempt, Effect, EffectAnswer, EffectFailed, HttpCall, HttpResponse
from shared.engine.session import Session
from shared.engine.step import StepResult, resume, step
from shared.engine.surroundings import Surroundings

__all__ = [
    "Answered",
    "Attempt",
    "Effect",
    "EffectAnswer",
    "EffectFailed",
    "HttpCall",
    "HttpResponse",
    "Session",
    "StepResult",
    "Surroundings",
    "resume",
    "step",
]
