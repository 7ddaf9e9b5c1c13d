"""The flow engine: one inbound event in; messages, events, effects and the new state out. Pure."""

from shared.engine.effects import Effect, EffectAnswer, HttpCall, HttpFailed, HttpResponse
from shared.engine.session import Session
from shared.engine.step import StepResult, resume, step
from shared.engine.surroundings import Surroundings

__all__ = [
    "Effect",
    "EffectAnswer",
    "HttpCall",
    "HttpFailed",
    "HttpResponse",
    "Session",
    "StepResult",
    "Surroundings",
    "resume",
    "step",
]
