/**
 * Inputs whose text is not their value.
 *
 * Invariant: text stays as it was typed, even if it is not a valid value. A value from outside replaces it only if it differs from the value of the
 * text.
 */
import { useEffect, useRef, useState, type ComponentProps } from "react";
import { Field } from "../ui";

type Frame = Pick<ComponentProps<typeof Field>, "name" | "label" | "error" | "aside" | "inputMode">;

interface NumberProps extends Frame {
  readonly value: number | null;
  readonly initialText?: string | undefined;
  /** undefined: not a number. */
  readonly read: (text: string) => number | null | undefined;
  readonly write: (value: number | null) => string;
  readonly wrong: string;
  readonly onValue: (value: number | null) => void;
  readonly onUnreadable: (text: string | null) => void;
}

export function NumberInput({ value, initialText, read, write, wrong, onValue, onUnreadable, error, ...rest }: NumberProps) {
  const [text, setText] = useState(initialText ?? write(value));
  const [last, setLast] = useState(value);
  const parsed = read(text);
  if (value !== last) {
    setLast(value);
    if (parsed !== value) setText(write(value));
  }
  return (
    <Field
      {...rest}
      autoComplete="off"
      value={text}
      error={parsed === undefined ? wrong : error}
      onChange={(event) => {
        const typed = event.target.value;
        const number = read(typed);
        setText(typed);
        onUnreadable(number === undefined ? typed : null);
        if (number === undefined) return;
        setLast(number);
        onValue(number);
      }}
      onBlur={() => parsed !== undefined && setText(write(parsed))}
    />
  );
}

interface DayProps extends Frame {
  readonly value: string | null;
  readonly wrong: string;
  readonly onValue: (value: string | null) => void;
  readonly onUnreadable: (text: string | null) => void;
}

/** Uncontrolled, because React would clear an incomplete date. */
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
