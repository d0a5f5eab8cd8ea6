/** What is not needed to show the board, and is loaded when it is first used. */
import { lazyPart } from "../app/lazyPart";

export const CloseReason = lazyPart(async () => (await import("./CloseReason")).CloseReason);
