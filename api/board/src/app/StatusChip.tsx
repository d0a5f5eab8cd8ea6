import type { Feed, FeedStatus } from "@boardcast/client";
import { useFeed } from "@boardcast/client/react";
import { useEffect, useState } from "react";
import { useI18n, type Translate } from "../i18n";
import { classes } from "../ui";

interface Said {
  readonly tone: "good" | "fair" | "still" | "wait" | "bad";
  /** With numbers that change all the time. */
  readonly text: string;
  readonly explained: string;
  /** What a screen reader is told when it becomes so. */
  readonly news: string;
}

const DOTS = { good: "bg-good", fair: "bg-good", still: "bg-warn", wait: "bg-warn shimmer", bad: "bg-danger" } as const;
const LATE = 900;

/** How what is shown stands to what there is. */
export function StatusChip({ feed, pending, conflicts }: { readonly feed: Feed; readonly pending: number; readonly conflicts: number }) {
  const { t } = useI18n();
  const status = useFeed(feed);
  // A write takes some milliseconds: only one that takes longer is worth a word.
  const saving = useLasting(pending > conflicts, LATE);
  const said = tell(status, pending, conflicts, saving, t);
  return (
    <div className="text-soft inline-flex min-w-0 items-center gap-2 text-[13px]" title={said.explained} data-status={status.state} data-transport={status.transport ?? ""}>
      <span aria-hidden="true" className={classes("size-2 shrink-0 rounded-full", DOTS[said.tone])} />
      <span aria-hidden="true" className="tabular truncate">
        {said.text}
      </span>
      <span role="status" className="sr-only">
        {said.news}
      </span>
    </div>
  );
}

function tell({ state, transport, latency, interval, realtime, problem }: FeedStatus, pending: number, conflicts: number, saving: boolean, t: Translate): Said {
  if (state === "ended") {
    const explained = t("statusEnded", { reason: problem?.message ?? "" });
    return { tone: "bad", text: t("ended"), explained, news: explained };
  }
  if (state === "offline") {
    const text = pending > 0 ? t("offlineWaiting", { count: pending }) : t("offline");
    return { tone: "bad", text, explained: t("statusOffline"), news: `${text}. ${t("statusOffline")}` };
  }
  if (state === "off") return { tone: "still", text: t("off"), explained: t("statusOff"), news: `${t("off")}. ${t("statusOff")}` };
  if (state !== "live") return { tone: "wait", text: t("connecting"), explained: t("statusConnecting"), news: t("connecting") };
  if (saving) return { tone: "wait", text: t("saving", { count: pending - conflicts }), explained: t("statusLive"), news: "" };
  if (conflicts > 0) {
    const text = t("toDecide", { count: conflicts });
    return { tone: "wait", text, explained: t("statusDecide"), news: text };
  }
  if (transport === "polling") {
    const text = t("polling", { seconds: Math.round((interval ?? 0) / 100) / 10 });
    return { tone: "fair", text, explained: t(realtime === "poll" ? "statusPollingOffered" : "statusPolling"), news: text };
  }
  if (transport === "sse") return { tone: "good", text: t("overSse"), explained: t(realtime === "sse" ? "statusSseOffered" : "statusSse"), news: t("overSse") };
  const text = latency === null ? t("live") : t("liveIn", { ms: Math.max(1, Math.round(latency)) });
  return { tone: "good", text, explained: t("statusLive"), news: t("live") };
}

/** Whether it has been so for a while. */
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
