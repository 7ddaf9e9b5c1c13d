export * from "./words";
export * from "./text";
export * from "./view";
