/** The texts of won and lost deals, the forecast, and the flow. Loaded when they are first shown. */
export const en = {
  lostTitle: "Why was “{title}” lost?",
  reasons: "Usual reasons",
  otherReason: "Another reason",
  skip: "No reason",
  save: "Save reason",
} as const;
