export { CloseReason, Flow, Forecast, OwnerTotals } from "./lazy";
