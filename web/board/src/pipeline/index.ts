export { CloseReason } from "./lazy";
