export { Avatar } from "./Avatar";
export { Button, type ButtonProps } from "./Button";
export { classes } from "./classes";
export { Dialog } from "./Dialog";
export { Field, Select, TextArea } from "./Field";
export * from "./icons";
export { Menu, type MenuItem } from "./Menu";
export { Toast, ToastProvider, useToasts, type ToastOptions } from "./Toast";
