/** What is not needed to show the board, and is loaded after it. */
import { lazyPart } from "../app/lazyPart";

export const Panel = lazyPart(async () => (await import("./Panel")).Panel);
export const ConflictDecision = lazyPart(async () => (await import("./ConflictDecision")).ConflictDecision);

export function preloadPanel(): void {
  Panel.preload();
  ConflictDecision.preload();
}
