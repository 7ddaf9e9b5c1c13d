export * from "./types";
export * from "./http";
export * from "./transport";
export * from "./timeline";
