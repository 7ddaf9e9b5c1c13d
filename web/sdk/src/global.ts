import { WebChat } from "./index";

const names = globalThis as unknown as Record<string, object>;
names.CloserSDK = { ...names.CloserSDK, WebChat };
names.MalgilSDK = { ...names.MalgilSDK, WebChat };
