// The tiny bot of bench/engine.py as a waterfall dialog. MemoryStorage keeps the state as JSON text, so that every turn
// parses and writes it. A text prompt with a validator, because the choice prompt's recognizers cost several times more.
import { require, serve } from "./worker.mjs";

const LABELS = ["배송 조회", "상품 보기", "교환·반품", "매장 안내", "상담원 연결"];

await serve(async () => {
  const { ActivityTypes, BotAdapter, ConversationState, MemoryStorage, MessageFactory, TurnContext } =
    require("botbuilder-core");
  const { DialogSet, TextPrompt, WaterfallDialog } = require("botbuilder-dialogs");

  class SilentAdapter extends BotAdapter {
    sent = [];
    async sendActivities(context, activities) {
      this.sent = activities;
      return activities.map((_, index) => ({ id: String(index) }));
    }
    async updateActivity() {}
    async deleteActivity() {}
  }

  const conversation = new ConversationState(new MemoryStorage());
  const dialogState = conversation.createProperty("dialog");
  const paramsState = conversation.createProperty("params");
  const dialogs = new DialogSet(dialogState);
  dialogs.add(new TextPrompt("pick", async ({ recognized }) => recognized.succeeded && LABELS.includes(recognized.value)));
  dialogs.add(
    new WaterfallDialog("menu", [
      (step) => step.prompt("pick", { prompt: MessageFactory.suggestedActions(LABELS, step.options.said ?? "") }),
      async (step) => {
        const params = await paramsState.get(step.context, { name: "김민지" });
        params.choice = step.result;
        return step.replaceDialog("menu", { said: `${params.name} 님, ${params.choice} 메뉴를 골랐어요.` });
      },
    ]),
  );

  const adapter = new SilentAdapter();
  async function say(text) {
    const context = new TurnContext(adapter, {
      type: ActivityTypes.Message,
      text,
      channelId: "bench",
      conversation: { id: "conversation-1" },
      from: { id: "user-1" },
      recipient: { id: "bot" },
    });
    const dialog = await dialogs.createContext(context);
    const result = await dialog.continueDialog();
    if (result.status === "empty") {
      await dialog.beginDialog("menu", {});
    }
    await conversation.saveChanges(context);
    return adapter.sent.at(-1).text;
  }

  let index = 0;
  await say("안녕하세요");
  return {
    async step(count) {
      for (let turn = 0; turn < count; turn += 1) {
        const text = LABELS[index++ % LABELS.length];
        const said = await say(text);
        if (said !== `김민지 님, ${text} 메뉴를 골랐어요.`) {
          throw new Error(`unexpected: ${said}`);
        }
      }
    },
  };
});
