/**
 * Inputs whose text is not their value.
 *
 * Invariant: what is typed stays as it is typed, also while it is no value; a value from outside replaces it only when it differs
 * from what the text says.
 */
import { useEffect, useRef, useState, type ComponentProps } from "react";
import { Field } from "../ui";

type Frame = Pick<ComponentProps<typeof Field>, "name" | "label" | "error" | "aside" | "inputMode">;

interface NumberProps extends Frame {
  readonly value: number | null;
  readonly kept?: string | undefined;
  /** undefined: not a number. */
  readonly read: (text: string) => number | null | undefined;
  readonly write: (value: number | null) => string;
  readonly wrong: string;
  readonly onValue: (value: number | null) => void;
  readonly onUnreadable: (text: string | null) => void;
}

export function NumberInput({ value, kept, read, write, wrong, onValue, onUnreadable, error, ...rest }: NumberProps) {
  const [text, setText] = useState(kept ?? write(value));
  const [last, setLast] = useState(value);
  const said = read(text);
  if (value !== last) {
    setLast(value);
    if (said !== value) setText(write(value));
  }
  return (
    <Field
      {...rest}
      autoComplete="off"
      value={text}
      error={said === undefined ? wrong : error}
      onChange={(event) => {
        const typed = event.target.value;
        const number = read(typed);
        setText(typed);
        onUnreadable(number === undefined ? typed : null);
        if (number === undefined) return;
        setLast(number);
        onValue(number);
      }}
      onBlur={() => said !== undefined && setText(write(said))}
    />
  );
}

interface DayProps extends Frame {
  readonly value: string | null;
  readonly wrong: string;
  readonly onValue: (value: string | null) => void;
  readonly onUnreadable: (text: string | null) => void;
}

/** Not controlled by React: that would empty the parts of a date that is not whole yet. */
export function DayInput({ value, wrong, onValue, onUnreadable, error, ...rest }: DayProps) {
  const input = useRef<HTMLInputElement>(null);
  const [partial, setPartial] = useState(false);
  useEffect(() => {
    const element = input.current;
    if (element && (element.value || null) !== value && !element.validity.badInput) element.value = value ?? "";
  }, [value]);
  return (
    <Field
      {...rest}
      ref={input}
      type="date"
      max="9999-12-31"
      defaultValue={value ?? ""}
      error={partial ? wrong : error}
      onChange={(event) => {
        const bad = event.target.validity.badInput;
        onUnreadable(bad ? event.target.value : null);
        if (bad) return;
        setPartial(false);
        onValue(event.target.value || null);
      }}
      onBlur={(event) => setPartial(event.target.validity.badInput)}
    />
  );
}
