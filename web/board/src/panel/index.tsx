export { ServerClock, ServerClockContext } from "./serverClock";
export { ConflictDialog } from "./ConflictDialog";
export { RejectedWrites } from "./RejectedWrites";
export { Panel } from "./Panel";
export { UndoToast } from "./UndoToast";
