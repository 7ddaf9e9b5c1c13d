// The tiny bot of bench/engine.py as a state machine, twice: node by node as the bot's author draws it, and folded into
// one guarded transition as a programmer would write it by hand. Nothing of a chatbot is in either: no keyboard is kept,
// no back stack, no trace.
// The state is parsed and written as XState's documentation does for pure transitions: JSON and resolveState.
import { require, serve } from "./worker.mjs";

const LABELS = ["배송 조회", "상품 보기", "교환·반품", "매장 안내", "상담원 연결"];
const NOTHING_SAID = { name: "김민지", choice: null, said: null };

await serve(async () => {
  const { assign, setup, transition } = require("xstate");
  const machine = setup({
    guards: { isKnown: ({ event }) => LABELS.includes(event.text) },
    actions: {
      remember: assign({ choice: ({ event }) => event.text }),
      reply: assign({ said: ({ context }) => `${context.name} 님, ${context.choice} 메뉴를 골랐어요.` }),
    },
  });
  const common = { id: "tiny", initial: "menu", context: NOTHING_SAID };
  const drawn = machine.createMachine({
    ...common,
    states: {
      menu: { on: { PRESS: [{ guard: "isKnown", target: "parameter" }, { target: "fallback" }] } },
      parameter: { entry: "remember", always: "response" },
      response: { entry: "reply", always: "menu" },
      fallback: {},
    },
  });
  const folded = machine.createMachine({
    ...common,
    states: {
      menu: {
        on: {
          PRESS: [{ guard: "isKnown", target: "menu", actions: ["remember", "reply"] }, { target: "fallback" }],
        },
      },
      fallback: {},
    },
  });

  function steps(logic) {
    let index = 0;
    let saved = JSON.stringify({ value: "menu", context: NOTHING_SAID });
    return (count) => {
      for (let turn = 0; turn < count; turn += 1) {
        const text = LABELS[index++ % LABELS.length];
        const snapshot = logic.resolveState(JSON.parse(saved));
        const [next] = transition(logic, snapshot, { type: "PRESS", text });
        if (next.context.said !== `김민지 님, ${text} 메뉴를 골랐어요.`) {
          throw new Error(`unexpected: ${next.context.said}`);
        }
        saved = JSON.stringify({ value: next.value, context: next.context });
      }
    };
  }

  return process.argv[2] === "folded" ? { step: steps(folded) } : { step: steps(drawn) };
});
