export * from "./strings";
export * from "./text";
export * from "./view";
