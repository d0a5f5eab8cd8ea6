import { useMutation, useQuery } from "@tanstack/react-query";
import { useI18n } from "../i18n";
import { Avatar, Button, GearIcon, Menu } from "../ui";
import type { Api } from "./api";
import { Brand } from "./Brand";
import { errorMessage } from "./EmptyState";
import { usePreferences } from "./preferences";

interface Props {
  readonly api: Api;
  /** There was a session, and it has expired. */
  readonly expired: boolean;
  readonly onEnter: () => Promise<unknown>;
}

/** The login of the demo: pick a user by name. Where it is disabled, another application signs users in. */
export function Login({ api, expired, onEnter }: Props) {
  const { t } = useI18n();
  const preferences = usePreferences();
  const people = useQuery({ queryKey: ["people"], queryFn: () => api.people() });
  const enter = useMutation({
    mutationFn: async (user: string) => {
      await api.signIn(user);
      await onEnter();
    },
  });
  const failure = people.error ?? enter.error;
  return (
    <div className="flex min-h-dvh flex-col">
      <div className="flex justify-end p-3">
        <Menu label={`${t("theme")}, ${t("language")}`} button={<GearIcon className="size-5" />} items={preferences} />
      </div>
      <main className="mx-auto flex w-full max-w-md flex-1 flex-col justify-center gap-6 px-4 pb-[14vh]">
        <div className="flex flex-col items-center gap-3 text-center">
          <Brand className="size-14" />
          <h1 className="text-2xl font-semibold tracking-tight">boardcast</h1>
          <p className="text-soft text-base">{t("tagline")}</p>
        </div>
        <section aria-label={t("signInTitle")} className="bg-surface border-line shadow-card flex flex-col gap-4 rounded-2xl border p-5">
          <p className={expired ? "bg-warn-soft text-warn-ink rounded-lg px-3 py-2" : "text-soft"} role={expired ? "alert" : undefined}>
            {expired ? t("sessionEnded") : people.data === null ? t("signInOff") : t("signInText")}
          </p>
          {failure && (
            <p role="alert" className="bg-danger-soft text-danger rounded-lg px-3 py-2">
              {errorMessage(failure, t)}
            </p>
          )}
          <ul className="grid gap-2 sm:grid-cols-2">
            {people.data?.map((person) => (
              <li key={person.id}>
                <Button className="min-h-14 w-full justify-start gap-3 text-left" disabled={enter.isPending} onClick={() => enter.mutate(person.id)}>
                  <Avatar id={person.id} name={person.name} named={false} />
                  <span className="min-w-0 font-medium">{person.name}</span>
                </Button>
              </li>
            ))}
          </ul>
          {people.isError && <Button onClick={() => void people.refetch()}>{t("retry")}</Button>}
        </section>
      </main>
    </div>
  );
}
