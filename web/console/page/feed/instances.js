// The running services and their progress: feed.instance_status with feed.lag.

import { h } from "../dom.js";
import { duration, number, shortMoment, t } from "../i18n.js";
import { mark } from "./panel.js";

/** @import { Instance } from "../../types" */
/** @import { Definition } from "./panel.js" */

/** @type {Definition} */
export const instances = {
  name: "instances",
  headings: [
    { name: t("instance") }, { name: t("service") }, { name: t("state") }, { name: t("connections"), figures: true },
    { name: t("behind"), figures: true }, { name: t("lag"), figures: true }, { name: t("lastRead"), figures: true },
    { name: t("newestDelivered"), figures: true }, { name: t("startedAt") }, { name: t("backends") },
  ],
  rows: (overview) => overview.instances.map((each) => [
    each.instance,
    each.service,
    state(each),
    number(each.connections),
    each.behind === null ? "–" : number(each.behind),
    each.lag_seconds === null ? "–" : duration(each.lag_seconds),
    duration(each.alive ? each.since_read_seconds : each.since_report_seconds),
    number(each.anchor),
    h("time", { datetime: each.started }, shortMoment(new Date(each.started))),
    h("span", { class: "soft", lang: "en" }, [each.tailer, each.listener].filter(Boolean).join(" · ") || "–"),
  ]),
  empty: t("noInstances"),
};

/** @param {Instance} instance */
function state(instance) {
  if (!instance.alive) return mark("bad", t("silentFor", { time: duration(instance.since_report_seconds) }));
  const words = [instance.ready ? t("ready") : t("notReady"), ...(instance.listens ? [] : [t("notListening")]), ...(instance.pacer ? [t("pacer")] : [])];
  return mark(instance.ready && instance.listens ? "ok" : "warning", words.join(", "));
}
