export { ServerClock, ServerClockContext } from "./serverClock";
export { ConflictDialog } from "./ConflictDialog";
export { Panel, preloadPanel } from "./lazy";
export { RejectedWrites } from "./RejectedWrites";
export { UndoToast } from "./UndoToast";
