import { useId, type ComponentProps, type ReactNode } from "react";
import { classes } from "./classes";

const BOX =
  "w-full rounded-lg border bg-surface px-3 py-2 text-ink placeholder:text-soft focus:outline-2 focus:outline-accent focus:-outline-offset-1 disabled:opacity-60 [&[readonly]]:bg-hover";

interface Frame {
  readonly label: ReactNode;
  /** Shown below the field and read aloud; the input stays. */
  readonly error?: string | null | undefined;
  /** To the right of the label. */
  readonly aside?: ReactNode;
}

interface Ids {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

function Labeled({ label, error, aside, children }: Frame & { readonly children: (ids: Ids) => ReactNode }) {
  const id = useId();
  const descriptionId = `${id}-description`;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="text-[13px] font-medium text-soft">
          {label}
        </label>
        {aside}
      </div>
      {children({ id, "aria-describedby": error ? descriptionId : undefined, "aria-invalid": error ? true : undefined })}
      {error && (
        <div id={descriptionId} className="text-danger text-[13px]">
          {error}
        </div>
      )}
    </div>
  );
}

function box(error: unknown): string {
  return classes(BOX, error ? "border-danger" : "border-edge");
}

export function Field({ label, error, aside, ...rest }: Frame & ComponentProps<"input">) {
  return (
    <Labeled label={label} error={error} aside={aside}>
      {(ids) => <input {...ids} {...rest} className={box(error)} />}
    </Labeled>
  );
}

export function TextArea({ label, error, aside, ...rest }: Frame & ComponentProps<"textarea">) {
  return (
    <Labeled label={label} error={error} aside={aside}>
      {(ids) => <textarea rows={4} {...ids} {...rest} className={classes(box(error), "resize-y")} />}
    </Labeled>
  );
}

export function Select({ label, error, aside, children, ...rest }: Frame & ComponentProps<"select">) {
  return (
    <Labeled label={label} error={error} aside={aside}>
      {(ids) => (
        <select {...ids} {...rest} className={box(error)}>
          {children}
        </select>
      )}
    </Labeled>
  );
}
