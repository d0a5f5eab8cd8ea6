import { ProblemError, type BoardHead, type Http, type Member, type Role } from "@boardcast/client";
import type { BoardStore } from "@boardcast/client/store";
import { useId, useState, type FormEvent } from "react";
import { useI18n } from "../i18n";
import { Avatar, Button, CloseIcon } from "../ui";
import { addMember, removeMember, setRole } from "./requests";
import type { Changing } from "./useBoardChange";

interface Props {
  readonly board: BoardHead;
  readonly members: readonly Member[];
  readonly admin: boolean;
  readonly me: string;
  readonly http: Http;
  readonly store: BoardStore;
  readonly changing: Changing;
}

const ROLES = ["viewer", "editor", "admin"] as const;
const SELECT = "border-edge bg-surface h-9 rounded-lg border px-2 focus:outline-2 focus:outline-accent disabled:opacity-60 max-sm:min-h-11";

export function Members({ board, members, admin, me, http, store, changing }: Props) {
  const { t } = useI18n();
  const [leaving, setLeaving] = useState(false);
  const admins = members.filter(({ role }) => role === "admin").length;

  async function change(work: () => Promise<unknown>): Promise<boolean> {
    return changing.run(async () => {
      await work();
      store.reload();
    });
  }

  return (
    <>
      {admin && <Invite onInvite={(who, role) => change(() => invite(http, board.id, who, role))} />}
      <ul className="divide-line border-line divide-y rounded-xl border">
        {members.map((member) => {
          const last = member.role === "admin" && admins === 1;
          const own = member.userId === me;
          return (
            <li key={member.userId} className="flex min-h-13 flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
              <Avatar id={member.userId} name={member.name} size="sm" named={false} />
              <span className="min-w-0 flex-1 basis-44 truncate" title={member.userId}>
                {own ? t("me", { name: member.name }) : member.name}
              </span>
              {admin ? (
                <select
                  aria-label={t("settings.roleOf", { name: member.name })}
                  className={`${SELECT} max-sm:ml-9`}
                  value={member.role}
                  disabled={last || changing.busy}
                  title={last ? t("settings.lastAdmin") : undefined}
                  onChange={({ target: { value } }) => void change(() => setRole(http, board.id, member, value as Role))}
                >
                  {ROLES.map((role) => (
                    <option key={role} value={role}>
                      {t(`settings.${role}`)}
                    </option>
                  ))}
                </select>
              ) : (
                <span className="text-soft text-[13px]">{t(`settings.${member.role}`)}</span>
              )}
              {(admin || own) && (
                <Button
                  look="quiet"
                  size="icon"
                  className="max-sm:size-11"
                  aria-label={own ? t("settings.leave") : t("settings.remove", { name: member.name })}
                  title={last ? t("settings.lastAdmin") : own ? t("settings.leave") : t("settings.remove", { name: member.name })}
                  disabled={last || changing.busy}
                  onClick={() => (own ? setLeaving(true) : void change(() => removeMember(http, board.id, member)))}
                >
                  <CloseIcon />
                </Button>
              )}
              {own && leaving && (
                <div role="group" aria-label={t("settings.leave")} className="bg-column flex w-full flex-wrap items-center gap-2 rounded-lg px-3 py-2">
                  <p className="min-w-0 flex-1 basis-48">{t("settings.leaveText", { name: board.name })}</p>
                  <Button size="sm" className="max-sm:min-h-11" onClick={() => setLeaving(false)}>
                    {t("settings.cancel")}
                  </Button>
                  <Button size="sm" look="primary" className="max-sm:min-h-11" autoFocus onClick={() => void change(() => removeMember(http, board.id, member))}>
                    {t("settings.leave")}
                  </Button>
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** Some applications use addresses as user IDs, so an address that nobody has is also tried as an ID. */
async function invite(http: Http, board: string, who: string, role: Role): Promise<void> {
  if (!who.includes("@")) return void (await addMember(http, board, { userId: who }, role));
  try {
    await addMember(http, board, { email: who }, role);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.type !== "unknown-user") throw error;
    await addMember(http, board, { userId: who }, role);
  }
}

function Invite({ onInvite }: { readonly onInvite: (who: string, role: Role) => Promise<boolean> }) {
  const { t } = useI18n();
  const id = useId();
  const [who, setWho] = useState("");
  const [role, setInvitedRole] = useState<Role>("editor");

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (who.trim() && (await onInvite(who.trim(), role))) setWho("");
  }

  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-wrap gap-2">
      <label htmlFor={id} className="sr-only">
        {t("settings.who")}
      </label>
      <input
        id={id}
        value={who}
        maxLength={200}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder={t("settings.who")}
        onChange={(event) => setWho(event.target.value)}
        className="border-edge bg-surface placeholder:text-soft focus:outline-accent h-9 min-w-0 flex-1 basis-48 rounded-lg border px-3 focus:outline-2 max-sm:min-h-11"
      />
      <select aria-label={t("settings.role")} value={role} onChange={(event) => setInvitedRole(event.target.value as Role)} className={SELECT}>
        {ROLES.map((each) => (
          <option key={each} value={each}>
            {t(`settings.${each}`)}
          </option>
        ))}
      </select>
      <Button type="submit" className="max-sm:min-h-11" disabled={!who.trim()}>
        {t("settings.invite")}
      </Button>
    </form>
  );
}
