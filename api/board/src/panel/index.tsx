export { Clock, ClockContext, useClock } from "./clock";
export { ConflictDialog } from "./ConflictDialog";
export { Orphans } from "./Orphans";
export { Panel, type PanelProps } from "./Panel";
export { UndoToast } from "./UndoToast";
