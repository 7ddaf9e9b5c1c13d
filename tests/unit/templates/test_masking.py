"""MASK's ranges stay on their text wherever a template puts it."""

from shared.templates import Mask, MaskedText, RenderEnvironment, compile_data, parse_template

ENVIRONMENT = RenderEnvironment(now_ms=0, random=lambda: 0.5)


def hidden(text: str) -> list[tuple[str, int | None]]:
    """The masked parts of a text with their times."""
    assert isinstance(text, MaskedText)
    return [(text[mask.start : mask.end], mask.after_ms) for mask in text.masks]


def render(source: str, *, escape_html: bool = False, **context: object) -> str:
    return parse_template(source, escape_html=escape_html).render(context, ENVIRONMENT)


def test_the_whole_of_a_masked_value_is_hidden_and_nothing_else():
    text = render("번호는 {{MASK(pin)}}입니다", pin="1234")
    assert text == "번호는 1234입니다"
    assert hidden(text) == [("1234", None)]


def test_a_template_that_is_nothing_but_a_mask_is_hidden():
    assert hidden(render("{{MASK(pin)}}", pin=1234)) == [("1234", None)]


def test_every_mask_has_its_own_time():
    text = render('{{MASK(a)}} {{MASK(b, "10m")}} {{MASK(c, "6h")}} {{MASK(d, "7d")}}', a="a", b="b", c="c", d="d")
    assert hidden(text) == [("a", None), ("b", 600_000), ("c", 21_600_000), ("d", 604_800_000)]


def test_masks_inside_blocks_keep_their_place():
    loop = "{{#each l}}{{#if this}}[{{@index}}:{{MASK(this)}}]{{else}}-{{/if}}{{/each}}"
    source = f"표: {loop} {{{{#with o}}}}{{{{MASK(p)}}}}{{{{/with}}}}."
    text = render(source, l=["가", "", "나다"], o={"p": "xyz"})
    assert text == "표: [0:가]-[2:나다] xyz."
    assert hidden(text) == [("가", None), ("나다", None), ("xyz", None)]


def test_many_pieces_keep_their_masks():
    text = render("a{{MASK(x)}}b{{x}}c{{x}}d{{x}}e{{MASK(x)}}f", x="X")
    assert [(mask.start, mask.end) for mask in text.masks] == [(1, 2), (9, 10)]  # type: ignore[attr-defined]


def test_neighbours_with_one_time_are_one_range():
    text = render("{{MASK(a)}}{{MASK(b)}}{{MASK(c, '1d')}}", a="a", b="b", c="c")
    assert hidden(text) == [("ab", None), ("c", 86_400_000)]


def test_what_a_call_makes_of_masked_text_is_hidden():
    assert hidden(render("{{QUOTE(MASK(pin))}}", pin="12")) == [('"12"', None)]
    assert hidden(render('{{JOSA(MASK(name), "을")}}!', name="달")) == [("달을", None)]


def test_a_mask_goes_through_operators():
    assert hidden(render("{{$or missing (MASK pin)}}", pin="12")) == [("12", None)]


def test_masked_text_of_the_context_stays_masked():
    pin = MaskedText("12", (Mask(0, 1, None),))
    assert hidden(render("번호 {{params.pin}}", params={"pin": pin})) == [("1", None)]


def test_escaping_for_html_moves_the_ranges():
    text = render("&{{MASK(a)}}{{{MASK(a)}}}<{{b}}", escape_html=True, a="<1>", b="&")
    assert text == "&&lt;1&gt;<1><&amp;"
    assert hidden(text) == [("&lt;1&gt;<1>", None)]


def test_escaping_masks_only_what_was_masked():
    pin = MaskedText("<a><b>", (Mask(3, 6, None),))
    text = render("{{pin}}", escape_html=True, pin=pin)
    assert (text, hidden(text)) == ("&lt;a&gt;&lt;b&gt;", [("&lt;b&gt;", None)])


def test_nothing_masked_is_plain_text():
    assert type(render("{{#if pin}}{{MASK(pin)}}{{/if}}-{{name}}", name="a")) is str


def test_texts_of_node_data_are_masked():
    data = compile_data({"text": "{{MASK(pin)}}!", "other": "{{name}}"}).render({"pin": "12", "name": "a"}, ENVIRONMENT)
    assert hidden(data["text"]) == [("12", None)]
    assert type(data["other"]) is str
