import messageCss from "@malgil/message-view/src/message-view.css";
import css from "./window.css";

/** How the window looks; app.tsx imports it before all else, since the built file compresses best in that order. */
export const sheet = new CSSStyleSheet();
sheet.replaceSync(messageCss + css);
