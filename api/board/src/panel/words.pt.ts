import type { Like } from "../i18n/phrases";
import type { en } from "./words.en";

export const pt: Like<typeof en> = {};
