/** What a person does in an open editor, in the editor's terms: what he knows (its base), and what he typed (its draft). */
import type { Changes, Editor, Field, Opportunity } from "@boardcast/client";
import { same } from "./fields";

/** Type changes into an editor. */
export function fill(editor: Editor, changes: Changes): void {
  for (const [field, value] of Object.entries(changes) as [Field, Changes[Field]][]) editor.set(field, value);
}

/**
 * The same, while others may have changed the fields. Who types again what was there before, and is not there any more, wants
 * it back: he has seen theirs.
 */
export function typeInto(editor: Editor, now: Opportunity, changes: Changes): void {
  const { base } = editor.getState();
  for (const [field, value] of Object.entries(changes) as [Field, Changes[Field]][]) {
    if (same(base[field], value) && !same(base[field], now[field])) editor.absorb({ [field]: now[field] });
    editor.set(field, value);
  }
}

/** He has seen theirs, and mine stays: saving does not ask again, unless it is changed again. */
export function keepMine(editor: Editor, now: Opportunity, field: Field): void {
  editor.absorb({ [field]: now[field] });
}

export function takeTheirs(editor: Editor, now: Opportunity, field: Field): void {
  editor.absorb({ [field]: now[field] });
  editor.set(field, now[field]);
}
