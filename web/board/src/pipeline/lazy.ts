/** What is not needed to show the board, and is loaded when it is first used. */
import { lazyPart } from "../app/lazyPart";

export const CloseReason = lazyPart(async () => (await import("./CloseReason")).CloseReason);
export const OwnerTotals = lazyPart(async () => (await import("./OwnerTotals")).OwnerTotals);
export const Forecast = lazyPart(async () => (await import("./Forecast")).Forecast);
export const Flow = lazyPart(async () => (await import("./Flow")).Flow);
