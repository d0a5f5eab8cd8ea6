import type { Presence } from "@boardcast/client";
import { useI18n } from "../i18n";
import { Avatar } from "../ui";

const SHOWN = 4;

/** Other users on this board. */
export function PresentUsers({ users }: { readonly users: readonly Presence[] }) {
  const { t, format } = useI18n();
  if (users.length === 0) return null;
  const names = t("presentNames", { names: format.list(users.map(({ userName }) => userName)) });
  return (
    <ul aria-label={t("present", { count: users.length })} title={names} className="flex items-center -space-x-1.5">
      {users.slice(0, SHOWN).map(({ userId, userName }) => (
        <li key={userId} className="arrive flex">
          <Avatar id={userId} name={userName} size="sm" className="ring-surface ring-2" />
        </li>
      ))}
      {users.length > SHOWN && (
        <li className="bg-column text-soft ring-surface z-1 inline-flex h-6 min-w-6 items-center justify-center rounded-full px-1 text-[10px] font-semibold ring-2">+{users.length - SHOWN}</li>
      )}
    </ul>
  );
}
