import type { Phase } from "@boardcast/client";
import type { Translate } from "../i18n";

export interface Template {
  readonly id: "sales" | "partners" | "blank";
  readonly phases: readonly Phase[];
  /** Usual reasons why a deal is lost. */
  readonly closeReasons: readonly string[];
}

/** Boards to start from, with names in the user's language. */
export function templates(t: Translate): readonly Template[] {
  const won = { id: "won", name: t("settings.stageWon"), kind: "won", probability: 100 } as const;
  const lost = { id: "lost", name: t("settings.stageLost"), kind: "lost", probability: 0 } as const;
  const closeReasons = t("settings.usualReasons").split("\n");
  return [
    {
      id: "sales",
      closeReasons,
      phases: [
        { id: "prospecting", name: t("settings.prospecting"), color: "gray", probability: 10 },
        { id: "qualification", name: t("settings.qualification"), color: "blue", probability: 25 },
        { id: "proposal", name: t("settings.proposal"), color: "indigo", probability: 50 },
        { id: "negotiation", name: t("settings.negotiation"), color: "amber", probability: 75 },
        won,
        lost,
      ],
    },
    {
      id: "partners",
      closeReasons,
      phases: [
        { id: "contact", name: t("settings.contact"), color: "gray", probability: 20 },
        { id: "meeting", name: t("settings.meeting"), color: "blue", probability: 40 },
        { id: "contract", name: t("settings.contract"), color: "violet", probability: 70 },
        { ...won, name: t("settings.stageSigned") },
        lost,
      ],
    },
    { id: "blank", closeReasons, phases: [{ id: "todo", name: t("settings.stageFirst"), color: "gray" }, won, lost] },
  ];
}
