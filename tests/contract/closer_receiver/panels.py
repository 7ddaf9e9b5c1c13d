"""What the two dashboards of CLOSER's receiver ask its table, panel by panel, in our own SQL.

grafana/dashboards/closer-bot.json and closer-chat.json of `sini-company/closer-event-dashboard` (commit 5c802b8, no
licence) say which events are counted and which places in `data` are read. Here the same is asked in other words;
Grafana's macros stand as they do there, and `filled_in` puts in what Grafana 5 does.
"""

# ruff: noqa: S608 - constants put together

import re
from datetime import UTC, datetime
from typing import Final

SEOUL_DAY: Final = "date_trunc('$GroupBy', {at}, 'Asia/Seoul')"
MESSAGES: Final = "event IN ('bot.message.received', 'bot.message.sent')"
PERSON: Final = "data->'endUser'->>'id'"

TOTALS: Final = {
    "users": "SELECT count(*) FROM events WHERE event = 'bot.end_user.created'",
    "messages": f"SELECT count(*) FROM events WHERE {MESSAGES}",
    "events of the time": "SELECT count(*) FROM events WHERE $__timeFilter(timestamp)",
    "new users of the time": (
        "SELECT count(*) FROM events WHERE event = 'bot.end_user.created' AND $__timeFilter(timestamp)"
    ),
    "active users of the time": (
        f"SELECT count(DISTINCT {PERSON}) FROM events"
        " WHERE event IN ('bot.end_user.created', 'bot.end_user.updated') AND $__timeFilter(timestamp)"
    ),
    "messages of the time": f"SELECT count(*) FROM events WHERE {MESSAGES} AND $__timeFilter(timestamp)",
}

STEPS: Final = "SELECT generate_series($__timeFrom()::timestamptz, $__timeTo()::timestamptz, '1 $GroupBy') AS step"
EVENTS: Final = f"""
SELECT {SEOUL_DAY.format(at="timestamp")} AS bucket, coalesce(event, 'total'), count(*)
FROM events WHERE $__timeFilter(timestamp)
GROUP BY GROUPING SETS ((bucket, event), (bucket)) ORDER BY 1, 2
"""
USERS: Final = f"""
WITH counted AS (
  SELECT {SEOUL_DAY.format(at="timestamp")} AS bucket,
    count(DISTINCT {PERSON}) AS told,
    count(DISTINCT {PERSON}) FILTER (WHERE event = 'bot.end_user.created') AS new,
    count(DISTINCT CASE event
      WHEN 'bot.message.received' THEN data->'message'->>'endUserId'
      WHEN 'bot.end_user.created' THEN {PERSON} END) AS active
  FROM events
  WHERE event IN ('bot.end_user.created', 'bot.end_user.updated', 'bot.message.received')
    AND $__timeFilter(timestamp)
  GROUP BY bucket
), summed AS (SELECT *, sum(told) OVER (ORDER BY bucket) AS so_far FROM counted)
SELECT bucket, so_far, coalesce(new, 0), coalesce(active, 0)
FROM (SELECT {SEOUL_DAY.format(at="step")} AS bucket FROM ({STEPS}) AS steps) AS buckets
  LEFT JOIN summed USING (bucket) ORDER BY bucket
"""
SPEAKERS: Final = f"""
WITH counted AS (
  SELECT {SEOUL_DAY.format(at="timestamp")} AS bucket,
    count(*) FILTER (WHERE event = 'bot.message.received') AS end_users,
    count(*) FILTER (WHERE event = 'bot.message.sent' AND data #>> '{{message,meta,persona}}' IS NULL) AS bot,
    count(*) FILTER (WHERE event = 'bot.message.sent' AND data #>> '{{message,meta,persona}}' IS NOT NULL) AS agents
  FROM events WHERE {MESSAGES} AND $__timeFilter(timestamp) GROUP BY bucket
)
SELECT bucket, coalesce(end_users, 0), coalesce(bot, 0), coalesce(agents, 0)
FROM (SELECT {SEOUL_DAY.format(at="step")} AS bucket FROM ({STEPS}) AS steps) AS buckets
  LEFT JOIN counted USING (bucket) ORDER BY bucket
"""
MESSAGE_LIST: Final = f"""
SELECT data->'message'->>'id', data->'message'->>'endUserId', data->'message'->>'conversationId',
  CASE data->'message'->>'isUser' WHEN 'true' THEN 'user'
    WHEN 'false' THEN CASE WHEN data->'message'->>'persona' IS NULL THEN 'bot' ELSE 'agent' END
    ELSE 'bot' END,
  data->'message'->'data', (data->'message'->>'timestamp')::bigint AS at
FROM events WHERE {MESSAGES} AND $__timeFilter(timestamp) ORDER BY at DESC
"""

CALLS: Final = """
WITH steps AS (
  SELECT event, timestamp AS at, data->'conversation'->>'id' AS conversation,
    data->'conversation'->'context'->'manual'->>'status' AS status
  FROM events
  WHERE event IN ('bot.conversation.agent_call_requested', 'bot.conversation.agent_call_connected',
      'bot.conversation.agent_call_cancelled', 'bot.conversation.agent_call_disconnected')
    AND $__timeFilter(timestamp)
), changes AS (
  SELECT *, event IS DISTINCT FROM lag(event) OVER (PARTITION BY conversation ORDER BY at) AS is_change FROM steps
), followed AS (
  SELECT *, lead(event) OVER later AS then_event, lead(at) OVER later AS then_at
  FROM changes WHERE is_change WINDOW later AS (PARTITION BY conversation ORDER BY at)
), calls AS (
  SELECT at,
    extract(epoch FROM then_at - at) AS waited,
    coalesce(then_event = 'bot.conversation.agent_call_connected', false) AS connected,
    coalesce(then_event IN ('bot.conversation.agent_call_cancelled', 'bot.conversation.agent_call_disconnected'), false)
      AS missed
  FROM followed
  WHERE event = 'bot.conversation.agent_call_requested' AND status IS DISTINCT FROM 'HANDOVER'
)
"""
CALL_TOTALS: Final = {
    "calls": CALLS + "SELECT count(*) FROM calls",
    "missed": CALLS + "SELECT count(*) FROM calls WHERE missed",
    "taken back within 10 s": CALLS + "SELECT count(*) FROM calls WHERE missed AND waited < 10",
    "connected": CALLS + "SELECT count(*) FROM calls WHERE connected",
    "mean wait": CALLS + "SELECT avg(waited) FROM calls WHERE connected",
    "wait of 90 %": CALLS + "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY waited) FROM calls WHERE connected",
}
PER_STEP: Final = f"""
, counted AS (
  SELECT {SEOUL_DAY.format(at="at")} AS bucket,
    count(*) AS calls,
    count(*) FILTER (WHERE missed AND waited < 10) AS taken_back,
    count(*) FILTER (WHERE missed AND NOT waited < 10) AS missed,
    count(*) FILTER (WHERE connected) AS connected,
    max(waited) FILTER (WHERE connected) AS longest,
    min(waited) FILTER (WHERE connected) AS shortest,
    avg(waited) FILTER (WHERE connected) AS mean,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY waited) FILTER (WHERE connected) AS most
  FROM calls GROUP BY bucket
), buckets AS (SELECT {SEOUL_DAY.format(at="step")} AS bucket FROM ({STEPS}) AS steps)
"""
FROM_STEPS: Final = " FROM buckets LEFT JOIN counted USING (bucket) ORDER BY bucket"
CALL_COUNTS: Final = (
    CALLS + PER_STEP + "SELECT bucket, coalesce(calls, 0), coalesce(missed, 0), coalesce(connected, 0)" + FROM_STEPS
)
ANSWERED: Final = (
    CALLS
    + PER_STEP
    + "SELECT bucket, CASE WHEN calls > taken_back THEN connected * 100 / (calls - taken_back) ELSE 100 END"
    + FROM_STEPS
)
WAITS: Final = (
    CALLS
    + PER_STEP
    + "SELECT bucket, coalesce(longest, 0), coalesce(shortest, 0), coalesce(mean, 0), coalesce(most, 0)"
    + FROM_STEPS
)


def filled_in(query: str, from_ms: int, to_ms: int, group_by: str = "day") -> str:
    """A query as Grafana sends it for a time range."""
    first, last = (
        datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at_ms in (from_ms, to_ms)
    )
    query = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{first}' AND '{last}'", query)
    query = query.replace("$__timeFrom()", f"'{first}'").replace("$__timeTo()", f"'{last}'")
    return query.replace("$GroupBy", group_by)
