import type { Button, Card, Location, Media, Message } from "@malgil/protocol";
import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { isLargeEmoji, linkify, notTwice, playerUri, safeMedia, safeUri } from "./text";
import type { MessageWords } from "./words";

export interface MessageViewProps {
  message: Message;
  words: MessageWords;
  /** A pressed postback or goto button. Links open by themselves. */
  onButton: (button: Button, key: string) => void;
  /** Keys of buttons that were pressed, as onButton told them. */
  pressed: ReadonlySet<string>;
  onImage: (uri: string, alt: string) => void;
}

const FOLD = 600;
const DESCRIPTION_FOLD = 140;

/** The content of one message: its bubble, and what hangs below it. */
export function MessageView(props: MessageViewProps): JSX.Element {
  const { data, id } = props.message;
  const buttons = data.buttons?.length ? <Buttons {...props} buttons={data.buttons} place={id} /> : null;
  switch (data.type) {
    case "text":
      return (
        <div class={`mv-bubble${isLargeEmoji(data.text ?? "") ? " mv-emoji" : ""}`}>
          <Text text={data.text ?? ""} words={props.words} />
          {buttons}
        </div>
      );
    case "media":
      return (
        <div class="mv-bubble mv-flush">
          <MediaView media={data.media} {...props} />
          {buttons}
        </div>
      );
    case "cards":
      return (
        <div class="mv-wide">
          <Cards {...props} cards={data.cards ?? []} />
          {buttons && <div class="mv-bubble mv-flush">{buttons}</div>}
        </div>
      );
    case "location":
      return (
        <div class="mv-bubble mv-flush">
          <Place location={data.location} words={props.words} />
          {buttons}
        </div>
      );
    default:
      return (
        <div class="mv-bubble mv-unknown">
          {data.text ? <Text text={data.text} words={props.words} /> : props.words.unsupported}
          {buttons}
        </div>
      );
  }
}

export function Text({ text, words, fold = FOLD }: { text: string; words: MessageWords; fold?: number }): JSX.Element {
  const [open, setOpen] = useState(false);
  const folds = text.length > fold;
  return (
    <span class="mv-text">
      {linkify(folds && !open ? `${text.slice(0, fold)}…` : text).map((piece) =>
        piece.uri ? <Anchor uri={piece.uri}>{piece.text}</Anchor> : piece.text,
      )}
      {folds && (
        <button class="mv-more" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? words.less : words.more}
        </button>
      )}
    </span>
  );
}

interface AnchorProps {
  uri: string;
  children: ComponentChildren;
  class?: string;
  title?: string;
}

function Anchor({ uri, children, ...rest }: AnchorProps): JSX.Element {
  return (
    <a href={uri} target="_blank" rel="noopener noreferrer" {...rest}>
      {children}
    </a>
  );
}

function MediaView({ media, words, onImage }: { media: Media | undefined } & MessageViewProps): JSX.Element {
  const [broken, setBroken] = useState(false);
  const kind = media?.contentType ?? media?.type ?? "link";
  const uri = safeMedia(media?.uri);
  const name = media?.altText || media?.name;
  if (uri && !broken) {
    if (kind === "image") {
      const alt = name || words.image;
      const { width = 0, height = 0 } = media!;
      // Its place is kept until it is there.
      const scale = Math.min(1, 260 / width, 320 / height);
      const size = width && height ? { width: Math.round(width * scale), height: Math.round(height * scale) } : {};
      return (
        <button class="mv-image" onClick={() => onImage(uri, alt)}>
          <img src={uri} alt={alt} loading="lazy" {...size} onError={() => setBroken(true)} />
        </button>
      );
    }
    if (kind === "video") {
      const player = playerUri(uri);
      if (player) return <Player uri={uri} player={player} name={name || words.play} />;
      return <video class="mv-video" src={uri} controls preload="metadata" aria-label={name} onError={() => setBroken(true)} />;
    }
    if (kind === "audio") return <audio class="mv-audio" src={uri} controls preload="none" aria-label={name} onError={() => setBroken(true)} />;
  }
  const link = safeUri(media?.uri);
  const body = (
    <>
      <Icon name={kind === "image" ? "image" : kind === "video" ? "play" : "file"} />
      <span>
        {name || shortName(link) || words.open}
      </span>
    </>
  );
  return link ? (
    <Anchor uri={link} class="mv-file">
      {body}
      <Icon name="out" />
    </Anchor>
  ) : (
    <span class="mv-file">{body}</span>
  );
}

/** Nothing of the other site is loaded before somebody asks for it; where the page allows no frame, the link remains. */
function Player({ uri, player, name }: { uri: string; player: string; name: string }): JSX.Element {
  const [playing, setPlaying] = useState(false);
  return (
    <>
      {playing ? (
        <iframe class="mv-player" src={player} title={name} allow="autoplay; fullscreen" />
      ) : (
        <button class="mv-player" aria-label={name} onClick={() => setPlaying(true)}>
          <Icon name="play" />
        </button>
      )}
      <Anchor uri={uri} class="mv-file">
        <span>{name}</span>
        <Icon name="out" />
      </Anchor>
    </>
  );
}

function shortName(uri: string | undefined): string {
  if (!uri) return "";
  try {
    const { hostname, pathname } = new URL(uri);
    return decodeURIComponent(pathname.split("/").pop() ?? "") || hostname;
  } catch {
    return uri;
  }
}

function Cards(props: { cards: Card[] } & MessageViewProps): JSX.Element {
  const { cards, words, message } = props;
  const track = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState(0);
  if (cards.length === 1) return <OneCard {...props} card={cards[0]!} index={0} />;
  const go = (index: number): void => {
    const list = track.current!;
    list.scrollTo({ left: (list.children[index] as HTMLElement).offsetLeft - list.offsetLeft });
  };
  const moved = (): void => {
    const list = track.current!;
    const ended = list.scrollLeft + list.clientWidth >= list.scrollWidth - 4;
    setAt(ended ? cards.length - 1 : Math.round(list.scrollLeft / 252));
  };
  return (
    <div class="mv-carousel" role="group" aria-roledescription="carousel" aria-label={`${at + 1} / ${cards.length}`}>
      <ul ref={track} onScroll={moved}>
        {cards.map((card, index) => (
          // Browsers do not scroll to what has the focus where a part of it can be seen; a press of the mouse must not move.
          <li aria-label={`${index + 1} / ${cards.length}`} onFocusIn={(event: FocusEvent) => (event.target as Element).matches(":focus-visible") && go(index)}>
            <OneCard {...props} card={card} index={index} />
          </li>
        ))}
      </ul>
      <div class="mv-dots">
        <IconButton icon="left" class="mv-arrow" aria-label={words.previous} data-testid={`wc-prev-${message.id}`} disabled={at === 0} onClick={() => go(at - 1)} />
        {cards.map((_, index) => (
          <i class={index === at ? "mv-on" : ""} />
        ))}
        <IconButton icon="right" class="mv-arrow" aria-label={words.next} data-testid={`wc-next-${message.id}`} disabled={at === cards.length - 1} onClick={() => go(at + 1)} />
      </div>
    </div>
  );
}

function OneCard(props: { card: Card; index: number } & MessageViewProps): JSX.Element {
  const { card, index, message, words } = props;
  const [broken, setBroken] = useState(false);
  const uri = safeUri(card.uri);
  const picture = safeMedia(card.media?.uri);
  const head = (
    <>
      {picture && !broken && (
        <img src={picture} alt={card.media?.altText ?? ""} loading="lazy" onError={() => setBroken(true)} />
      )}
      {card.title && <strong>{card.title}</strong>}
    </>
  );
  return (
    <div class="mv-card" data-testid={`wc-card-${message.id}-${index}`}>
      {uri ? (
        <Anchor uri={uri}>
          {head}
        </Anchor>
      ) : (
        <div>{head}</div>
      )}
      {card.description && (
        <p>
          <Text text={card.description} words={words} fold={DESCRIPTION_FOLD} />
        </p>
      )}
      {card.buttons?.length ? <Buttons {...props} buttons={card.buttons} place={`${message.id}-${index}`} of={card.title} /> : null}
    </div>
  );
}

export function buttonKind(button: Button): "link" | "goto" | "postback" {
  if (button.type === "link" || (!button.type && button.uri)) return "link";
  return button.type === "goto" || (!button.type && button.flowId !== undefined) ? "goto" : "postback";
}

function Buttons(props: { buttons: Button[]; place: string; of?: string } & MessageViewProps): JSX.Element {
  const { buttons, place, of, onButton, pressed, words } = props;
  const once = useRef(notTwice());
  return (
    <div class="mv-buttons">
      {buttons.map((button, index) => {
        const kind = buttonKind(button);
        const key = `${place}-${index}`;
        const common = { "data-testid": `wc-btn-${key}`, "aria-label": of && `${of}: ${button.label}` };
        if (kind === "link") {
          const uri = safeUri(button.uri);
          return uri ? (
            <Anchor uri={uri} {...common} title={words.newTab}>
              {button.label}
              <Icon name="out" />
            </Anchor>
          ) : (
            <span class="mv-inert" {...common}>
              {button.label}
            </span>
          );
        }
        const press = (): void => {
          if (once.current(key)) onButton(button, key);
        };
        return (
          <button {...common} onClick={press}>
            {button.label}
            {pressed.has(key) ? <Icon name="check" /> : kind === "goto" ? <Icon name="jump" /> : null}
          </button>
        );
      })}
    </div>
  );
}

function Place({ location, words }: { location: Location | undefined; words: MessageWords }): JSX.Element {
  const { latitude, longitude } = location ?? { latitude: 0, longitude: 0 };
  const at = `${Number(latitude)},${Number(longitude)}`;
  return (
    <div class="mv-place">
      <div class="mv-pin">
        <Icon name="pin" />
      </div>
      <strong>{location?.title || location?.label || words.place}</strong>
      <Anchor uri={`https://maps.google.com/?q=${at}`}>{words.map}</Anchor>
    </div>
  );
}

const PATHS = {
  out: "M7 17 17 7M9 7h8v8",
  jump: "M5 5v10h14m-4-4 4 4-4 4",
  check: "m5 12 5 5 9-10",
  left: "m15 5-7 7 7 7",
  right: "m9 5 7 7-7 7",
  down: "m5 9 7 7 7-7",
  pin: "m12 21 6-8a7 7 0 1 0-12 0ZM12 9h.01",
  file: "M6 3h8l4 4v14H6Z",
  image: "M4 5h16v14H4Zm0 12 6-6 6 8M15 9h.01",
  play: "M7 5v14l12-7Z",
  close: "m6 6 12 12M18 6 6 18",
  save: "M12 4v11m-5-5 5 5 5-5M4 20h16",
  send: "M4 12 20 4l-5 16-4-7Z",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-4-7q4 4 8 0M9 9h.01M15 9h.01",
  dots: "M11.5 4.5h1v1h-1zm0 7h1v1h-1zm0 7h1v1h-1z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2",
  alert: "M12 4 2.5 20h19Zm0 6v4m0 3h.01",
  chat: "M4 5h16v11H10l-5 4v-4H4Z",
} as const;

/** A button that shows only an icon: `aria-label` says what it does. */
export function IconButton({ icon, ...rest }: { icon: keyof typeof PATHS } & JSX.IntrinsicElements["button"]): JSX.Element {
  return (
    <button class="wc-icon" {...rest}>
      <Icon name={icon} />
    </button>
  );
}

export function Icon({ name }: { name: keyof typeof PATHS }): JSX.Element {
  return (
    <svg class="mv-icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
