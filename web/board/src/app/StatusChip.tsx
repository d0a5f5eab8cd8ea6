import type { Feed, FeedStatus } from "@boardcast/client";
import { useFeed } from "@boardcast/client/react";
import { useEffect, useState } from "react";
import { useI18n, type Translate } from "../i18n";
import { classes } from "../ui";

interface StatusText {
  readonly tone: "good" | "fair" | "still" | "wait" | "bad";
  /** May contain numbers that change all the time. */
  readonly text: string;
  readonly detail: string;
  /** What a screen reader says when the state changes. */
  readonly announcement: string;
}

const DOTS = { good: "bg-good", fair: "bg-good", still: "bg-warn", wait: "bg-warn shimmer", bad: "bg-danger" } as const;
const LATE = 900;

interface Props {
  readonly feed: Feed;
  readonly pending: number;
  readonly conflicts: number;
  /** A write has had no answer for some seconds. */
  readonly unanswered: boolean;
}

/** Shows the state of the connection and of the user's changes. */
export function StatusChip({ feed, pending, conflicts, unanswered }: Props) {
  const { t } = useI18n();
  const status = useFeed(feed);
  // A write usually takes a few milliseconds: show only those that take longer.
  const saving = useLasting(pending > conflicts, LATE);
  const chip = describe(status, { pending, conflicts, unanswered, saving }, t);
  return (
    <div className="text-soft inline-flex min-w-0 items-center gap-2 text-[13px]" title={chip.detail} data-status={status.state} data-transport={status.transport ?? ""} data-tone={chip.tone}>
      <span aria-hidden="true" className={classes("size-2 shrink-0 rounded-full", DOTS[chip.tone])} />
      <span aria-hidden="true" className="tabular truncate">
        {chip.text}
      </span>
      <span role="status" className="sr-only">
        {chip.announcement}
      </span>
    </div>
  );
}

interface Writes extends Omit<Props, "feed"> {
  readonly saving: boolean;
}

function describe({ state, transport, behind, latency, interval, realtime, problem }: FeedStatus, { pending, conflicts, unanswered, saving }: Writes, t: Translate): StatusText {
  if (state === "ended") {
    const detail = t("statusEnded", { reason: problem?.message ?? "" });
    return { tone: "bad", text: t("ended"), detail, announcement: detail };
  }
  if (state === "offline") {
    const text = pending > 0 ? t("offlineWaiting", { count: pending }) : t("offline");
    return { tone: "bad", text, detail: t("statusOffline"), announcement: `${text}. ${t("statusOffline")}` };
  }
  if (unanswered) {
    const text = t("unanswered", { count: Math.max(1, pending - conflicts) });
    return { tone: "bad", text, detail: t("statusUnanswered"), announcement: `${text}. ${t("statusUnanswered")}` };
  }
  if (state === "off") return { tone: "still", text: t("off"), detail: t("statusOff"), announcement: `${t("off")}. ${t("statusOff")}` };
  if (state !== "live") return { tone: "wait", text: t("connecting"), detail: t("statusConnecting"), announcement: t("connecting") };
  if (behind) return { tone: "wait", text: t("behind"), detail: t("statusBehind"), announcement: t("statusBehind") };
  if (saving) return { tone: "wait", text: t("saving", { count: pending - conflicts }), detail: t("statusLive"), announcement: "" };
  if (conflicts > 0) {
    const text = t("toDecide", { count: conflicts });
    return { tone: "wait", text, detail: t("statusDecide"), announcement: text };
  }
  if (transport === "polling") {
    const text = t("polling", { seconds: Math.round((interval ?? 0) / 100) / 10 });
    return { tone: "fair", text, detail: t(realtime === "poll" ? "statusPollingOffered" : "statusPolling"), announcement: text };
  }
  if (transport === "sse") return { tone: "good", text: t("overSse"), detail: t(realtime === "sse" ? "statusSseOffered" : "statusSse"), announcement: t("overSse") };
  const text = latency === null ? t("live") : t("liveIn", { ms: Math.max(1, Math.round(latency)) });
  return { tone: "good", text, detail: t("statusLive"), announcement: t("live") };
}

/** Whether a condition has held for a while. */
function useLasting(so: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!so) return;
    const timer = setTimeout(() => setLasting(true), ms);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [so, ms]);
  return lasting;
}
