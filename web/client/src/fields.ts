/** The fields of a card that users can change; the database sets the others. */
export const FIELDS = [
  "title",
  "company",
  "contact",
  "value",
  "currency",
  "phase",
  "position",
  "owner_id",
  "probability",
  "expected_close_date",
  "notes",
  "board_id",
] as const;
