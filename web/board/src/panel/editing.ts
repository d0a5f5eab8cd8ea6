/** What a user does in an open editor, in terms of the editor: its base is what the user knows, its draft what the user typed. */
import type { Changes, Editor, Field, Opportunity } from "@boardcast/client";
import { same } from "./fields";

/** Set fields of an editor. */
export function fill(editor: Editor, changes: Changes): void {
  for (const [field, value] of Object.entries(changes) as [Field, Changes[Field]][]) editor.set(field, value);
}

/**
 * Set fields of an editor while others may have changed them. Typing the old value again after others changed it means that the user has seen their
 * value and wants the old one back.
 */
export function typeInto(editor: Editor, now: Opportunity, changes: Changes): void {
  const { base } = editor.getState();
  for (const [field, value] of Object.entries(changes) as [Field, Changes[Field]][]) {
    if (same(base[field], value) && !same(base[field], now[field])) editor.markSeen({ [field]: now[field] });
    editor.set(field, value);
  }
}

/** The user has seen theirs and keeps their own: saving does not ask again, unless the field changes again. */
export function keepMine(editor: Editor, now: Opportunity, field: Field): void {
  editor.markSeen({ [field]: now[field] });
}

export function takeTheirs(editor: Editor, now: Opportunity, field: Field): void {
  editor.markSeen({ [field]: now[field] });
  editor.set(field, now[field]);
}
