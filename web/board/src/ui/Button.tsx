import type { ComponentProps } from "react";
import { classes } from "./classes";

const LOOKS = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong font-medium",
  plain: "bg-surface text-ink border border-line hover:bg-hover hover:border-edge",
  quiet: "text-soft hover:text-ink hover:bg-hover",
} as const;
const SIZES = {
  md: "min-h-9 px-3 py-1.5 rounded-lg",
  sm: "min-h-7 px-2 py-0.5 rounded-md text-[13px]",
  icon: "size-8 rounded-lg",
} as const;

export interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: keyof typeof LOOKS;
  readonly size?: keyof typeof SIZES;
}

export function Button({ look = "plain", size = "md", className, type = "button", ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      className={classes(
        "inline-flex items-center justify-center gap-1.5 transition-colors disabled:opacity-55",
        LOOKS[look],
        SIZES[size],
        className,
      )}
      {...rest}
    />
  );
}
