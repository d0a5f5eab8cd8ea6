import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { useServerClock } from "./serverClock";

/** How long ago a time of the server was. Updates by itself, so hide it from live regions: they would read it every second. */
export function TimeAgo({ at }: { readonly at: string }) {
  const { format } = useI18n();
  const clock = useServerClock();
  const since = Math.max(0, clock.since(at));
  useTick(since);
  return (
    <time dateTime={at} title={format.moment(at)}>
      {format.ago(since)}
    </time>
  );
}

/** The same for a time of this machine's clock. */
export function LocalTimeAgo({ at }: { readonly at: number }) {
  const { format } = useI18n();
  const since = Math.max(0, Date.now() - at);
  useTick(since);
  return <time>{format.ago(since)}</time>;
}

/** Render again when the text may have changed. */
function useTick(since: number): void {
  const [ticks, tick] = useState(0);
  const pause = since < 60_000 ? 1000 : 30_000;
  useEffect(() => {
    const timer = setTimeout(() => tick(ticks + 1), pause);
    return () => clearTimeout(timer);
  }, [pause, ticks]);
}
