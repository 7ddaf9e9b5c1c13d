/**
 * The part of Preact that the widget uses, in a fifth of its size: build.mjs puts it in Preact's place, since every page
 * of every customer loads it. Sources are written, typed and tested as Preact.
 *
 * An empty slot is an empty text node, so that everything has a place and slots keep their neighbours.
 */

type Props = Record<string, unknown>;
type Render = (props: Props) => unknown;
interface VNode {
  /** null: a text, which is its only prop. */
  type: string | Render | null;
  props: Props;
  key?: unknown;
}
interface Hook {
  value?: unknown;
  deps?: unknown[] | undefined;
  run?: (() => unknown) | null;
  clean?: unknown;
}
type Handler = (event: Event) => void;
type Handlers = Record<string, Handler | undefined> & { handleEvent: Handler };
interface Instance {
  vnode: VNode;
  /** Of elements and texts. */
  dom: Node | null;
  kids: Instance[];
  hooks: Hook[];
  gone?: boolean;
}

const SVG = "http://www.w3.org/2000/svg";
export const Fragment = "";

export function jsx(type: VNode["type"], props: Props, key?: unknown): VNode {
  return { type, props, key };
}
// One name for each: the built file says only the first.
export { jsx as jsxs, useEffect as useLayoutEffect };

let current: Instance;
let place = 0;
/** Components whose state changed. */
const waiting = new Set<Instance>();
let effects: Hook[] = [];

const text = (said: unknown): VNode => jsx(null, { text: said });

function normal(child: unknown): VNode {
  if (Array.isArray(child)) return jsx(Fragment, { children: child });
  if (child && typeof child === "object") return child as VNode;
  return text(child === null || child === undefined || typeof child === "boolean" ? "" : child);
}

const make = (): Instance => ({ vnode: text(""), dom: null, kids: [], hooks: [] });

function nodes(instance: Instance): Node[] {
  return instance.dom ? [instance.dom] : instance.kids.flatMap(nodes);
}

/** Brings the children to what is wanted; `next` is what stands behind the last one. */
function reconcile(owner: Instance, parent: Node, wanted: unknown, next: Node | null): void {
  const list = (Array.isArray(wanted) ? wanted : [wanted]).map(normal);
  if (!list.length) list.push(text(""));
  const old = new Set(owner.kids);
  const kept = owner.kids;
  owner.kids = list.map((vnode, index) => {
    const { type, key } = vnode;
    const same = (one: Instance | undefined): boolean => !!one && old.has(one) && one.vnode.type === type && one.vnode.key === key;
    const found = same(kept[index]) ? kept[index] : key === undefined ? undefined : kept.find(same);
    if (found) old.delete(found);
    return found ?? make();
  });
  for (const instance of old) remove(instance);
  for (let index = list.length - 1; index >= 0; index -= 1) {
    const instance = owner.kids[index]!;
    patch(instance, list[index]!, parent, next);
    for (const node of nodes(instance).reverse()) {
      if (node.parentNode !== parent || node.nextSibling !== next) parent.insertBefore(node, next);
      next = node;
    }
  }
}

function patch(instance: Instance, vnode: VNode, parent: Node, next: Node | null): void {
  const before = instance.vnode;
  instance.vnode = vnode;
  const { type, props } = vnode;
  if (type === null) {
    if (!instance.dom) instance.dom = document.createTextNode(props.text as string);
    else if (before.props.text !== props.text) instance.dom.nodeValue = props.text as string;
    return;
  }
  if (typeof type === "function") return draw(instance, parent, next);
  if (type === Fragment) return reconcile(instance, parent, props.children, next);
  const fresh = !instance.dom;
  const element = (instance.dom ??= type === "svg" || (parent as Element).namespaceURI === SVG ? document.createElementNS(SVG, type) : document.createElement(type)) as HTMLElement;
  const old = fresh ? {} : before.props;
  for (const name in { ...old, ...props }) if (old[name] !== props[name] || name === "value") set(element, name, props[name]);
  if ("children" in props || "children" in old) reconcile(instance, element, props.children, null);
  const ref = props.ref as ((element: Element) => void) | { current: unknown } | undefined;
  if (fresh && ref) effects.unshift({ run: () => (typeof ref === "function" ? void ref(element) : void (ref.current = element)) });
}

function set(element: HTMLElement, name: string, value: unknown): void {
  if (name === "children" || name === "ref") return;
  if (name.startsWith("on")) {
    // The same listener counts once: only what it calls is new.
    const handlers: Handlers = ((element as { handlers?: Handlers }).handlers ??= { handleEvent: (event) => handlers[event.type]?.(event) });
    const event = name.slice(2).toLowerCase();
    handlers[event] = value as Handler;
    element.addEventListener(event, handlers);
  } else if (name === "value") {
    const field = element as HTMLInputElement;
    if (field.value !== value) field.value = value as string;
  } else if (value === undefined || value === null || (value === false && !spoken(name))) element.removeAttribute(name);
  else element.setAttribute(name, value === true && !spoken(name) ? "" : String(value));
}

/** aria- and data- attributes say true and false; of others, to be there is what counts. */
function spoken(name: string): boolean {
  return name[4] === "-";
}

function draw(instance: Instance, parent: Node, next: Node | null): void {
  current = instance;
  place = 0;
  waiting.delete(instance);
  const { type, props } = instance.vnode;
  reconcile(instance, parent, [(type as Render)(props)], next);
}

function remove(instance: Instance, inside = false): void {
  instance.gone = true;
  for (const { clean } of instance.hooks) if (typeof clean === "function") clean();
  for (const kid of instance.kids) remove(kid, inside || !!instance.dom);
  if (instance.dom && !inside) instance.dom.parentNode?.removeChild(instance.dom);
}

function flush(): void {
  for (const instance of waiting) {
    waiting.delete(instance);
    if (instance.gone) continue;
    const last = nodes(instance).at(-1)!;
    draw(instance, last.parentNode!, last.nextSibling);
  }
  settle();
}

function settle(): void {
  const due = effects;
  effects = [];
  for (const hook of due) {
    if (typeof hook.clean === "function") hook.clean();
    hook.clean = hook.run!();
  }
}

function hook(): Hook {
  return (current.hooks[place++] ??= {});
}

export function useState<S>(first: S): [S, (state: S) => void] {
  const instance = current;
  const mine = hook();
  if (!("value" in mine)) mine.value = first;
  return [
    mine.value as S,
    (state) => {
      if (state === mine.value) return;
      mine.value = state;
      waiting.add(instance);
      queueMicrotask(flush);
    },
  ];
}

export function useRef<T>(first: T): { current: T } {
  return (hook().value ??= { current: first }) as { current: T };
}

export function useEffect(run: () => unknown, deps?: unknown[]): void {
  const mine = hook();
  const { deps: before } = mine;
  if (before && deps && deps.every((value, index) => value === before[index])) return;
  mine.deps = deps;
  mine.run = run;
  effects.push(mine);
}

const roots = new WeakMap<Node, Instance>();

export function render(vnode: unknown, parent: Element): void {
  const root = roots.get(parent) ?? make();
  roots.set(parent, root);
  reconcile(root, parent, [vnode], null);
  settle();
}
