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
  "close_reason",
  "next_activity",
  "next_activity_date",
] as const;

/** Fields that are not in the table of the cards: the service keeps them in another one, with versions of its own. */
export const DETAILS = ["closed_at", "close_reason", "next_activity", "next_activity_date"] as const;
