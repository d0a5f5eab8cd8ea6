export { ServerClock, ServerClockContext, useServerClock } from "./serverClock";
export { ConflictDialog } from "./ConflictDialog";
export { RejectedWrites } from "./RejectedWrites";
export { Panel, type PanelProps } from "./Panel";
export { UndoToast } from "./UndoToast";
