import { useId, type ComponentProps, type ReactNode } from "react";
import { classes } from "./classes";

const BOX =
  "w-full rounded-lg border bg-surface px-3 py-2 text-ink placeholder:text-soft focus:outline-2 focus:outline-accent focus:-outline-offset-1 disabled:opacity-60 [&[readonly]]:bg-hover";

interface Frame {
  readonly label: ReactNode;
  /** Shown below the field and read aloud; the input stays. */
  readonly error?: string | null | undefined;
  readonly hint?: ReactNode;
  /** To the right of the label. */
  readonly aside?: ReactNode;
}

interface Ids {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

function Labeled({ label, error, hint, aside, className, children }: Frame & { readonly className?: string | undefined; readonly children: (ids: Ids) => ReactNode }) {
  const id = useId();
  const descriptionId = `${id}-description`;
  return (
    <div className={classes("flex flex-col gap-1", className)}>
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-[13px] font-medium text-soft">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-describedby": error || hint ? descriptionId : undefined, "aria-invalid": error ? true : undefined })}
      {(error || hint) && (
        <div id={descriptionId} className={classes("text-[13px]", error ? "text-danger" : "text-soft")}>
          {error || hint}
        </div>
      )}
    </div>
  );
}

function box(error: unknown): string {
  return classes(BOX, error ? "border-danger" : "border-edge");
}

export function Field({ label, error, hint, aside, className, ...rest }: Frame & ComponentProps<"input">) {
  return (
    <Labeled label={label} error={error} hint={hint} aside={aside} className={className}>
      {(ids) => <input {...ids} {...rest} className={box(error)} />}
    </Labeled>
  );
}

export function TextArea({ label, error, hint, aside, className, ...rest }: Frame & ComponentProps<"textarea">) {
  return (
    <Labeled label={label} error={error} hint={hint} aside={aside} className={className}>
      {(ids) => <textarea rows={4} {...ids} {...rest} className={classes(box(error), "resize-y")} />}
    </Labeled>
  );
}

export function Select({ label, error, hint, aside, className, children, ...rest }: Frame & ComponentProps<"select">) {
  return (
    <Labeled label={label} error={error} hint={hint} aside={aside} className={className}>
      {(ids) => (
        <select {...ids} {...rest} className={box(error)}>
          {children}
        </select>
      )}
    </Labeled>
  );
}
