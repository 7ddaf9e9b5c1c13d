"""What lint finds: each problem has a place in the document, a severity, and a sentence in English and in Korean."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Severity = Literal["error", "warning"]
"""error: cannot run, publishing refuses it. warning: runs, but probably not as meant."""

SENTENCES: Final[dict[str, tuple[Severity, str, str]]] = {
    # shape
    "missing": ("error", "is missing", "값이 없습니다"),
    "wrong_type": ("error", "must be {expected}, not {found}", "{expected} 값이어야 하는데 {found} 값입니다"),
    "not_a_choice": (
        "error",
        "'{value}' is not one of {choices}",
        "'{value}' 값은 쓸 수 없습니다. 가능한 값: {choices}",
    ),
    "too_long": (
        "warning",
        "has {length} characters, at most {limit} are shown",
        "{length}자입니다. 최대 {limit}자까지 표시됩니다",
    ),
    "over_limit": ("error", "has {length} characters, the limit is {limit}", "{length}자로 제한 {limit}자를 넘습니다"),
    "too_many_bytes": (
        "error",
        "takes {size} bytes, the limit is {limit}",
        "{size}바이트로 제한 {limit}바이트를 넘습니다",
    ),
    "too_many": (
        "warning",
        "has {length} items, at most {limit} are used",
        "{length}개입니다. 최대 {limit}개까지 쓰입니다",
    ),
    "bad_key": (
        "error",
        "'{value}' is not a parameter name (letters, digits, _ - :)",
        "'{value}' 값은 파라미터 이름으로 쓸 수 없습니다(영문자, 숫자, _ - :)",
    ),
    "bad_link": (
        "error",
        "'{value}' is not a link (http:, https:, tel: or mailto:)",
        "'{value}' 값은 링크가 아닙니다(http:, https:, tel:, mailto:)",
    ),
    # graph
    "no_flows": ("error", "the bot has no flow", "봇에 플로우가 없습니다"),
    "duplicate_flow": ("error", "flow id {flow} is used twice", "플로우 id {flow} 값이 중복됩니다"),
    "duplicate_node": (
        "error",
        "node id {node} is used twice in flow {flow}",
        "플로우 {flow}에 노드 id {node} 값이 중복됩니다",
    ),
    "no_entry": ("error", "flow {flow} has no entry node", "플로우 {flow}에 진입 노드가 없습니다"),
    "no_such_flow": ("error", "no flow {flow}", "플로우 {flow}이(가) 없습니다"),
    "no_such_node": ("error", "no node {node} in flow {flow}", "플로우 {flow}에 노드 {node}이(가) 없습니다"),
    "unknown_node_type": ("error", "unknown node type '{type}'", "알 수 없는 노드 유형 '{type}'"),
    "deprecated": (
        "warning",
        "{what} is deprecated: use {instead}",
        "{what}은(는) 지원 중단 예정입니다. {instead} 사용을 권합니다",
    ),
    "unreachable": ("warning", "no edge leads to node {node}", "노드 {node}(으)로 이어지는 연결이 없습니다"),
    "no_way_on": (
        "warning",
        "no edge leaves this keyboard: every answer goes to the fallback flow",
        "입력 요청 노드에 다음 연결이 없어 모든 답이 폴백 플로우로 갑니다",
    ),
    "equal_edges": (
        "warning",
        "this edge can never be taken: edge {other} has the same condition and comes first",
        "이 연결은 선택될 수 없습니다. 연결 {other}와(과) 조건이 같고 순서가 앞섭니다",
    ),
    "silent_fallback": (
        "warning",
        "the fallback flow can never answer: users would only see '(메시지 없음)'",
        "폴백 플로우가 답을 만들지 못해 빈 메시지만 반복됩니다",
    ),
    "endless_loop": (
        "warning",
        "nodes {nodes} of flow {flow} lead back to themselves without waiting for the user",
        "플로우 {flow}의 노드 {nodes}이(가) 입력을 기다리지 않고 되돌아옵니다",
    ),
    # languages inside the document
    "template": ("error", "template: {what}", "템플릿 오류: {what}"),
    "template_warning": ("warning", "template: {what}", "템플릿 경고: {what}"),
    "condition": ("error", "condition: {what}", "조건 오류: {what}"),
    "condition_warning": ("warning", "condition: {what}", "조건 경고: {what}"),
    "masked_parameter": (
        "warning",
        "MASK has no effect in a parameter: events show parameters in clear. Use it where the text is sent",
        "파라미터에 쓴 MASK는 효과가 없습니다. 이벤트에는 파라미터가 그대로 보이므로 메시지에 쓰세요",
    ),
    # nodes that ask the world
    "not_http": (
        "warning",
        "'{value}' is not an http: or https: address: the request fails",
        "'{value}' 값은 http:, https: 주소가 아니어서 요청이 실패합니다",
    ),
    "not_configured": (
        "warning",
        "{what} is not set: the node fails and the walk goes on by its edges",
        "{what} 값이 없어 노드가 실패하고 다음 노드로 진행합니다",
    ),
    "secret_in_bot": (
        "warning",
        "looks like a secret: store it as a credential and write that credential's name here",
        "비밀 값으로 보입니다. 자격 증명으로 저장하고 여기에는 그 이름을 쓰세요",
    ),
    "module_missing": (
        "warning",
        "the script of node {node} requires '{module}', which is not available",
        "노드 {node}의 스크립트가 쓰는 모듈 '{module}'을(를) 제공하지 않습니다",
    ),
    "module_unknown": (
        "warning",
        "the script of node {node} decides while it runs which module it requires: it may not be available",
        "노드 {node}의 스크립트가 실행 중에 정하는 모듈은 제공되지 않을 수 있습니다",
    ),
    # channels
    "kakao_label": (
        "warning",
        "KakaoTalk shows at most {limit} characters of a button label; this one has {length}",
        "카카오톡 버튼 라벨은 {limit}자까지 표시됩니다(현재 {length}자)",
    ),
    "kakao_quick_replies": (
        "warning",
        "KakaoTalk shows {limit} quick replies; the other {more} follow as button cards",
        "카카오톡 바로가기는 {limit}개까지이며 나머지 {more}개는 버튼 카드로 이어집니다",
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `path` is a JSON path into the document, such as `flows[2].nodes[5].next[0].nodeId`."""

    path: str
    code: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return SENTENCES[self.code][0]

    def sentence(self, language: str = "en") -> str:
        return SENTENCES[self.code][2 if language == "ko" else 1].format(**self.details)

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence()}"
