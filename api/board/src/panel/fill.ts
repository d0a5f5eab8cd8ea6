import type { Changes, Editor, Field } from "@boardcast/client";

/** Type changes into an editor. */
export function fill(editor: Editor, changes: Changes): void {
  for (const [field, value] of Object.entries(changes) as [Field, Changes[Field]][]) editor.set(field, value);
}
