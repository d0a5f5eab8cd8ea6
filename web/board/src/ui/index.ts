export { Avatar } from "./Avatar";
export { Button } from "./Button";
export { classes } from "./classes";
export { Dialog } from "./Dialog";
export { Field, Select, TextArea } from "./Field";
export * from "./icons";
export { Popover } from "./Popover";
export { Menu, type MenuItem } from "./Menu";
export { ToastProvider, useToasts } from "./Toast";
