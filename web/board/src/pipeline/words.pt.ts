import type { SameKeys } from "../i18n/templates";
import type { en } from "./words.en";

export const pt: SameKeys<typeof en> = {
  lostTitle: "Por que “{title}” foi perdido?",
  reasons: "Motivos comuns",
  otherReason: "Outro motivo",
  skip: "Sem motivo",
  save: "Salvar motivo",
};
