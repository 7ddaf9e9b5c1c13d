"""The template language of bots: Handlebars over JSON data, with calls, operators and array expansion.

Text becomes tokens (lexer), a tree (parser, whitespace) and closures (compiler) that render within a budget (runtime);
`compile_data` does it for all the texts of a node.
"""

from shared.templates.data import DataTemplate, compile_data
from shared.templates.environment import CallHelper, Mask, MaskedText, RenderEnvironment
from shared.templates.errors import TemplateError, TemplateSyntaxError, TemplateWarning
from shared.templates.template import Template, parse_template

__all__ = [
    "CallHelper",
    "DataTemplate",
    "Mask",
    "MaskedText",
    "RenderEnvironment",
    "Template",
    "TemplateError",
    "TemplateSyntaxError",
    "TemplateWarning",
    "compile_data",
    "parse_template",
]
