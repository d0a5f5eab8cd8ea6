// Notes when each beacon was on the screen, and each task that kept the page from answering.
window.probe = { behind: [], tasks: [] };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) probe.tasks.push(duration);
}).observe({ type: "longtask" });
const painted = new MessageChannel();
let last = 0;
painted.port1.onmessage = ({ data }) => probe.behind.push(Date.now() - data);
const look = () => {
  const sent = Number(/sent (\d+)/.exec(document.querySelector('[data-card="beacon"]')?.textContent ?? "")?.[1] ?? 0);
  if (sent > last) painted.port2.postMessage((last = sent));
  probe.last = last;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
