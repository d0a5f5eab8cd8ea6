/** The list with the element at one place moved to another. */
export function moved<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const rest = list.filter((_, at) => at !== from);
  const element = list[from];
  return element === undefined ? list : [...rest.slice(0, to), element, ...rest.slice(to)];
}

/** Where in a list of boxes a point is: the index of the box whose middle is the first below it, not counting the box itself. */
export function indexAt(boxes: readonly { readonly top: number; readonly height: number }[], y: number, own: number): number {
  return boxes.filter(({ top, height }, at) => at !== own && top + height / 2 < y).length;
}

/** The list in the order of these ids. What is not among them comes last. */
export function inOrder<T extends { readonly id: string }>(list: readonly T[], ids: readonly string[]): readonly T[] {
  const place = ({ id }: T): number => (ids.includes(id) ? ids.indexOf(id) : ids.length);
  return [...list].sort((a, b) => place(a) - place(b));
}
